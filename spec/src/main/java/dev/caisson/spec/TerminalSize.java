package dev.caisson.spec;

/// Rows and columns of characters that a program's terminal has.
public record TerminalSize(int rows, int columns) {}
