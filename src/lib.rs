//! evenhand audits customer-service transcripts.
//!
//! Data flows one way, and each module is one stage that imports only what stands before it:
//! [`ingest`] reads records, [`turns`] makes canonical transcripts of them, [`signals`] says what is true of
//! one turn, [`findings`] what is true of one transcript, [`tally`] counts, [`stats`] says how sure a count is,
//! [`sampling`] says which transcripts people should read, [`labels`] keeps what they found,
//! [`reports`] writes what people read, [`run`] wires the stages together and [`cli`] calls it.

pub mod ingest;
pub mod turns;

pub mod signals;

pub mod findings;

pub mod tally;

pub mod stats;

pub mod sampling;

pub mod labels;

pub mod reports;

pub mod run;

pub mod cli;
