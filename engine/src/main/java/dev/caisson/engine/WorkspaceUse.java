package dev.caisson.engine;

import dev.caisson.spec.Bytes;

/// How much of a workspace is used.
///
/// @param used bytes of its files, as its file system counts
/// @param inodes its files, directories and links
/// @param onDisk bytes that the workspace takes from the host's disk
/// @param inUse whether a container has it, or a process works on its files
public record WorkspaceUse(Bytes used, long inodes, Bytes onDisk, boolean inUse) {}
