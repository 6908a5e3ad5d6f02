package dev.caisson.cli;

/// The reader of a command's output.
enum OutputFormat {
    /// A person.
    TEXT,
    /// A program.
    JSON
}
