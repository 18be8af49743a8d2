//! The doors of dface: HTTP for phones, the admin listener for operators and analysts, and the command line.

pub mod admin;
pub mod app;
pub mod asks;
pub mod boots;
pub mod cleaning;
pub mod cli;
pub mod demo;
pub mod doctor;
pub mod http;
pub mod import;
pub mod jobs;
pub mod metrics;
pub mod mqtt;
pub mod node;
pub mod outcomes;
pub mod pages;
pub mod processes;
pub mod pushes;
pub mod replay;
pub mod settings;
pub mod sign_in_limits;
pub mod stats;
<<<<<<< HEAD
pub mod urls;
=======
pub mod watch_access;
>>>>>>> e-b
pub mod weibo;
pub mod xmpp;
