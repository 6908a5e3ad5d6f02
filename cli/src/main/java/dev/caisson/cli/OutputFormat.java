package dev.caisson.cli;

/// Who reads a command's output.
enum OutputFormat {
    /// A person.
    TEXT,
    /// A program.
    JSON
}
