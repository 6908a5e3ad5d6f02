package dev.caisson.engine;

/// What was copied.
///
/// @param bytes of all files
/// @param entries files, directories and links
/// @param leftOut pipes, sockets, devices, and directories of the kernel's own file systems, which are never copied
public record CopyReport(long bytes, long entries, long leftOut) {}
