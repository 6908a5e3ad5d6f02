package dev.caisson.scan;

/// A kind of secret that the scanner knows.
/// @param id stable, such as `github-token`
/// @param title a noun phrase, such as `GitHub token`
/// @param remedy what to do about a finding
public record LeakRule(String id, String title, String remedy) {}
