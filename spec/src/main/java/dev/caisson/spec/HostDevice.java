package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.DeviceRule.Access;
import java.nio.file.Path;
import java.util.Set;

/// A device of the host that a container is given.
///
/// @param source a device node of the host, absolute
/// @param target where the container has a node of it, below its `/dev`
/// @param access what the kernel lets the container do with it; [Access#MAKE] opens nothing, because no user namespace
///     but the host's makes device nodes
public record HostDevice(Path source, InRootPath target, Set<Access> access) {
    public HostDevice {
        present(source, "source");
        present(target, "target");
        access = More.copy(access, "access");
    }
}
