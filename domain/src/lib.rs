//! Pure rules of dface.
