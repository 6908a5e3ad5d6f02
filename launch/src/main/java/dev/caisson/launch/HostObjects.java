package dev.caisson.launch;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The objects of the host at the paths that a wish names, each followed through all its links. They are looked
/// at once, before [Policy] judges: what was judged is mounted or made later, whatever somebody puts there
/// meanwhile.
///
/// @param sources what the sources of binds lead to; one that leads nowhere is missing
/// @param devices what there is at the sources of devices
public record HostObjects(Map<Path, Path> sources, Map<Path, Device> devices) {
    public HostObjects {
        sources = Map.copyOf(sources);
        devices = Map.copyOf(devices);
    }

    /// The object at the path of a device.
    public sealed interface Device {
        /// It is there.
        /// @param real its path without links
        record Node(Path real, DeviceNode node) implements Device {}

        /// There is none, or none that can be given.
        /// @param why as the caller is told
        record None(Finding why) implements Device {}
    }

    /// Looks at the paths of a wish, and changes nothing. A path that [Policy] refuses by its form is not looked at.
    public static HostObjects of(ContainerSpec spec) {
        var sources = new HashMap<Path, Path>();
        for (Mount mount : spec.mounts()) {
            if (mount instanceof Mount.Bind bind && isPlain(bind.source())) {
                real(bind.source()).ifPresent(real -> sources.put(bind.source(), real));
            }
        }
        var devices = new HashMap<Path, Device>();
        for (HostDevice device : spec.devices()) {
            if (isPlain(device.source())) {
                devices.put(device.source(), device(device.source()));
            }
        }
        return new HostObjects(sources, devices);
    }

    /// Returns true if a path leads from the root to what it names, with no step back.
    static boolean isPlain(Path source) {
        return source.isAbsolute() && source.equals(source.normalize());
    }

    private static Optional<Path> real(Path source) {
        try {
            return Optional.of(source.toRealPath());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static Device device(Path source) {
        Optional<Path> real = real(source);
        if (real.isEmpty()) {
            return none("the host has no device " + source + ": check the path");
        }
        try (Fd node = FileSystem.openWithoutLinks(real.get().toString(), FileSystem.O_PATH)) {
            return DeviceNode.of(FileSystem.status(node))
                    .<Device>map(found -> new Device.Node(real.get(), found))
                    .orElseGet(
                            () -> none(source + " is no device node: name one, and those of a directory one by one"));
        } catch (ErrnoException e) {
            return none("the device " + real.get() + " cannot be opened: check the path");
        }
    }

    private static Device none(String sentence) {
        return new Device.None(new Finding("DEVICE_SOURCE", sentence));
    }
}
