package dev.caisson.cli.text;

/// The reader of a command's output.
public enum OutputFormat {
    /// A person.
    TEXT,
    /// A program.
    JSON
}
