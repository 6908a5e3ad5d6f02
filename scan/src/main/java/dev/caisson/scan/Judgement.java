package dev.caisson.scan;

/// How sure a match is, and why.
/// @param reason in words that follow a colon
record Judgement(Confidence confidence, String reason) {}
