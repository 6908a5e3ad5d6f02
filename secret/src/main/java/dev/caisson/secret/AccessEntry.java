package dev.caisson.secret;

import java.time.Instant;

/// One line of a store's access log. It has no value of a secret and nothing derived from one.
///
/// @param sequence from 1 up, without gaps
/// @param action as `create` or `read`
/// @param secret name and version, as `db@3`; empty if the whole store was meant
/// @param user who asked, in the words of the caller
/// @param generation of the index at that time
public record AccessEntry(long sequence, Instant time, String action, String secret, String user, long generation) {}
