package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.KernelRandom;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.VolumeSpec;
import dev.caisson.state.HeldDirectory;
import dev.caisson.state.NewShared;
import dev.caisson.state.SharedDirectories;
import dev.caisson.state.SharedKind;
import dev.caisson.state.SharedRecord;
import dev.caisson.state.StateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// The volumes of a state directory. Needs no engine.
///
/// ```java
/// Volume data = engine.volumes().create(VolumeSpec.named("data").size("2g"));
/// DetachedContainer db = engine.create(spec.mount(data.at("/var/lib/db")), DetachedOptions.STANDARD);
/// ```
///
/// Failures are [dev.caisson.error.CaissonException]s: VOLUME_UNKNOWN, VOLUME_EXISTS, VOLUME_IN_USE, VOLUME_MEDIUM,
/// TOO_MANY_VOLUMES, STORAGE_FULL, STORAGE_INODES, STORAGE_FAILED.
public final class Volumes {
    private static final int NAME_BYTES = 32;
    private static final String IN_USE = "VOLUME_IN_USE";
    private static final String UNKNOWN = "VOLUME_UNKNOWN";

    private final EngineOptions options;
    private final SharedDirectories directory;

    private Volumes(EngineOptions options) {
        this.options = options;
        this.directory = new SharedDirectories(options.data(), options.state(), SharedKind.VOLUME);
    }

    /// Returns those of an engine's directories.
    public static Volumes of(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> {
            HostAccess.requireRoot();
            return new Volumes(options);
        });
    }

    /// Makes one, empty. It is there until it is removed, also after a restart of the host.
    public Volume create(VolumeSpec spec) {
        present(spec, "spec");
        VolumeName name =
                spec.name().orElseGet(() -> new VolumeName(HexFormat.of().formatHex(KernelRandom.bytes(NAME_BYTES))));
        return Failures.call(() -> Volume.of(make(new NewShared(
                name, spec.size(), spec.inodes(), spec.labels(), spec.name().isEmpty()))));
    }

    /// Makes one, and notes it.
    SharedRecord make(NewShared wanted) {
        SharedRecord made = directory.create(wanted);
        note("create", wanted.name().value());
        return made;
    }

    private void note(String action, String name) {
        LifeEvents.note(options, LifeEvent.Kind.VOLUME, action, name, Map.of("driver", "local"));
    }

    private void destroy(VolumeName name) {
        directory.remove(name);
        note("destroy", name.value());
    }

    /// Returns all, by name.
    public List<Volume> list() {
        return Failures.call(() -> directory.list().stream().map(Volume::of).toList());
    }

    /// Finds one.
    /// @throws dev.caisson.error.CaissonException VOLUME_UNKNOWN
    public Volume get(String name) {
        VolumeName parsed = new VolumeName(present(name, "name"));
        return Failures.call(() -> Volume.of(directory.get(parsed)));
    }

    /// Returns how much of one is used; its file system is mounted for that, where nobody else sees it.
    public VolumeUse use(VolumeName name) {
        present(name, "name");
        return Failures.call(() -> {
            List<String> containers = referents().getOrDefault(name, List.of());
            boolean inUse = !containers.isEmpty() || directory.isInUse(name);
            try (HeldDirectory held = directory.hold(name)) {
                FileSystemSpace space = held.space();
                return new VolumeUse(
                        Bytes.of(space.usedBytes()), space.usedInodes(), Bytes.of(held.onDisk()), inUse, containers);
            }
        });
    }

    /// Returns whether a container has it, or a process works on its files.
    /// @throws dev.caisson.error.CaissonException VOLUME_UNKNOWN
    public boolean isInUse(VolumeName name) {
        present(name, "name");
        return Failures.call(() -> directory.isInUse(name) || referents().containsKey(name));
    }

    /// Returns what each takes from the host's disk.
    List<DiskUse.OfVolume> onDisk() {
        Map<VolumeName, List<String>> referents = referents();
        var all = new ArrayList<DiskUse.OfVolume>();
        for (Volume volume : list()) {
            int containers = referents.getOrDefault(volume.name(), List.of()).size();
            try {
                boolean inUse = containers > 0 || directory.isInUse(volume.name());
                try (HeldDirectory held = directory.hold(volume.name())) {
                    all.add(new DiskUse.OfVolume(volume.name(), Bytes.of(held.onDisk()), inUse, containers));
                }
            } catch (StateException e) {
                if (!e.code().equals(UNKNOWN)) { // removed meanwhile
                    throw e;
                }
            }
        }
        return all;
    }

    /// Returns the names of containers that outlive their command, by the volumes that they have.
    public Map<VolumeName, List<String>> users() {
        return Failures.call(() -> Map.copyOf(referents()));
    }

    /// Removes one with all its files.
    /// @throws dev.caisson.error.CaissonException VOLUME_IN_USE while a container has it, which may have ended,
    /// or a process works on its files
    public void remove(VolumeName name) {
        present(name, "name");
        Failures.run(() -> {
            directory.get(name);
            List<String> containers = referents().getOrDefault(name, List.of());
            if (!containers.isEmpty()) {
                throw new StateException(
                        IN_USE,
                        "the volume " + name + " is in use by " + String.join(", ", containers)
                                + ": remove these containers first");
            }
            destroy(name);
        });
    }

    /// Removes all that nothing uses and that are chosen.
    /// @return those that are gone
    public List<Volume> prune(Predicate<Volume> chosen) {
        present(chosen, "chosen");
        return Failures.call(() -> {
            Map<VolumeName, List<String>> referents = referents();
            var gone = new ArrayList<Volume>();
            for (Volume volume : list()) {
                if (chosen.test(volume) && !referents.containsKey(volume.name()) && removeIfFree(volume.name())) {
                    gone.add(volume);
                }
            }
            return List.copyOf(gone);
        });
    }

    private boolean removeIfFree(VolumeName name) {
        try {
            destroy(name);
            return true;
        } catch (StateException e) {
            if (e.code().equals(IN_USE) || e.code().equals(UNKNOWN)) {
                return false;
            }
            throw e;
        }
    }

    /// Removes those that were made for a container that was not made.
    void removeNew(Set<VolumeName> names) {
        for (VolumeName name : names) {
            boolean _ = removeIfFree(name);
        }
    }

    /// Removes the anonymous ones among those that a container had which is gone, but for those that another has.
    void removeAnonymous(List<VolumeName> names) {
        if (names.isEmpty()) {
            return;
        }
        Map<VolumeName, List<String>> referents = referents();
        for (VolumeName name : names) {
            if (!referents.containsKey(name) && isAnonymous(name)) {
                boolean _ = removeIfFree(name);
            }
        }
    }

    private boolean isAnonymous(VolumeName name) {
        try {
            return directory.get(name).anonymous();
        } catch (StateException e) {
            if (e.code().equals(UNKNOWN)) {
                return false;
            }
            throw e;
        }
    }

    /// Names of containers that are there, by volume. A monitor holds what its container has; one whose monitor is
    /// gone may be made again of its spec.
    private Map<VolumeName, List<String>> referents() {
        var referents = new HashMap<VolumeName, List<String>>();
        KeptSpec.each(
                options,
                (entry, spec) -> spec.mounts().forEach(mount -> {
                    if (mount instanceof Mount.Volume volume) {
                        volume.name()
                                .ifPresent(name -> referents
                                        .computeIfAbsent(name, _ -> new ArrayList<>())
                                        .add(entry.name().orElse(entry.id().shortForm())));
                    }
                }));
        return referents;
    }

    SharedDirectories directory() {
        return directory;
    }
}
