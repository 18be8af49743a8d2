//! The queue's adapters and one module for each job. There is no job yet: thumbnails, coupon pictures and pushes
//! bring the first ones.
