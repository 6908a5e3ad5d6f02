package dev.caisson.launch;

import dev.caisson.secret.SecretName;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SharedName;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// The source of a slot's descriptor. The launcher opens them in the order of the plan.
public sealed interface SlotSource {
    /// The encoded plan itself, in sealed memory.
    record Plan() implements SlotSource {}

    /// The socket on which init reports and the engine says start.
    record Control() implements SlotSource {}

    /// A standard stream of the program: 0, 1 or 2.
    record Stream(int number) implements SlotSource {}

    /// The `tasks` file of a v1 group, the `index`-th that the container's groups have.
    record CgroupTasks(int index) implements SlotSource {}

    /// The directory of the group that the clone goes into.
    record CgroupDirectory() implements SlotSource {}

    /// A layer of the image, topmost first, shown through the container's id map.
    record Layer(int index) implements SlotSource {}

    /// The `index`-th volume: a detached copy of a mount of the host with all that is mounted below it, shown
    /// through the container's id map, without set-uid and devices. Its files are the host's own.
    record Bind(int index, Path source, boolean readOnly) implements SlotSource {}

    /// The `index`-th workspace or volume: a detached mount of the directory that the engine keeps under that
    /// name, shown through the container's id map, without set-uid and devices.
    ///
    /// @param subpath the directory of it that is shown; the root for all of it
    record Shared(int index, SharedName name, boolean readOnly, InRootPath subpath) implements SlotSource {}

    /// A read-only overlay over the layers of the `index`-th image that is mounted, shown through the container's id
    /// map, without set-uid and devices. Locks, leases and watches are on inodes of its own.
    ///
    /// @param image its name
    /// @param subpath the directory of it that is shown; the root for all of it
    record ImageFiles(int index, String image, InRootPath subpath) implements SlotSource {}

    /// Secrets as files in memory that is never swapped, owned by the container's own ids: a detached mount that is
    /// read-only, without set-uid, devices and execution. The plan has their names, never a value.
    ///
    /// @param index of the mount among those that the engine made
    record Secrets(int index, List<Placed> files) implements SlotSource {
        /// A file with all that is left open in a spec.
        ///
        /// @param uid inside of the container
        public record Placed(SecretName secret, SecretName file, int uid, int gid, int mode) {}

        public Secrets {
            files = List.copyOf(files);
        }

        /// Gives files without an owner to the program's user.
        static Secrets of(int index, Mount.Secrets wanted, RootImage.ProgramUser user) {
            return new Secrets(
                    index,
                    wanted.files().stream()
                            .map(file -> new Placed(
                                    file.secret(),
                                    file.file(),
                                    file.uid().orElse(user.uid()),
                                    file.gid().orElse(user.gid()),
                                    file.mode()))
                            .toList());
        }
    }

    /// A read-only overlay over the `index`-th directory of the host that belongs to the image, without set-uid and
    /// devices: what is read is the host's, while locks, leases and watches are the container's own.
    record Cover(int index, Path source) implements SlotSource {}

    /// A node of the `index`-th device of the host that the container is given, made for it.
    ///
    /// @param source the host's own node
    /// @param access what the rule for it allows
    record Device(int index, Path source, DeviceNode node, Set<DeviceRule.Access> access) implements SlotSource {
        public Device {
            access = Set.copyOf(access);
        }
    }

    /// A detached mount on the host's disk that holds what the container writes.
    record Upper(LayerMedium medium) implements SlotSource {}

    /// A namespace of a container that runs.
    record NamespaceOf(Namespace namespace) implements SlotSource {}

    /// A descriptor of the process that a file service does not outlive.
    record Lifetime() implements SlotSource {}

    /// The root that the zygote assembles: always the last slot.
    record Root() implements SlotSource {}

    /// True if init gets it; the others are the zygote's, for the clone and for the root.
    default boolean isForInit() {
        return !(this instanceof CgroupDirectory || this instanceof Layer || this instanceof Upper);
    }

    /// Returns the index of the `nth` of a kind among `slots`, both from 0; -1 if there are fewer.
    static int position(List<SlotSource> slots, Class<? extends SlotSource> kind, int nth) {
        int left = nth;
        for (int i = 0; i < slots.size(); i++) {
            if (kind.isInstance(slots.get(i)) && left-- == 0) {
                return i;
            }
        }
        return -1;
    }
}
