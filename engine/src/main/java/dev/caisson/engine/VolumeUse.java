package dev.caisson.engine;

import dev.caisson.spec.Bytes;
import java.util.List;

/// How much of a volume is used.
///
/// @param used bytes of its files, as its file system counts
/// @param inodes its files, directories and links
/// @param onDisk bytes that it takes from the host's disk
/// @param inUse whether a container has it, or a process works on its files
/// @param containers names of containers that outlive their command and have it
public record VolumeUse(Bytes used, long inodes, Bytes onDisk, boolean inUse, List<String> containers) {
    public VolumeUse {
        containers = List.copyOf(containers);
    }
}
