package dev.caisson.launch;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import dev.caisson.spec.InRootPath;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Makes the parts of the host that a container sees, as detached mounts: layers, volumes, devices.
public final class HostMounts {
    private static final long WITHIN = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private HostMounts() {}

    static Fd layer(Fd directory, Fd userNamespace) {
        Fd mount = Mounts.copy(directory, false);
        try {
            Mounts.mapIds(mount, userNamespace, false);
            return mount;
        } catch (ErrnoException e) {
            mount.close();
            throw idMapRefused("the image's file system", e);
        }
    }

    /// Returns the mount below a cover. An overlay, as the root of a pod is, takes no id map (EINVAL) and is shown
    /// without: its files belong to nobody inside. That gives less access than a map would, never more.
    static Fd covered(SlotSource.Cover cover, Fd userNamespace) {
        Fd mount = open(cover.source(), false);
        try {
            Mounts.mapIds(mount, userNamespace, false);
            return mount;
        } catch (ErrnoException e) {
            if (e.is(Errno.EINVAL)) {
                return mount;
            }
            mount.close();
            throw idMapRefused("the file system of " + cover.source(), e);
        }
    }

    static Fd bind(SlotSource.Bind bind, Fd userNamespace) {
        Set<Mounts.Attribute> attributes = EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES);
        if (bind.readOnly()) {
            attributes.add(Mounts.Attribute.READ_ONLY);
        }
        Fd mount = open(bind.source(), true);
        try {
            Mounts.restrict(mount, attributes, true);
            Mounts.mapIds(mount, userNamespace, true);
            return mount;
        } catch (ErrnoException e) {
            mount.close();
            throw idMapRefused("the file system of " + bind.source(), e);
        }
    }

    /// Makes a detached mount of a workspace or volume what the container is shown.
    static void shared(Fd mount, SlotSource.Shared shared, Fd userNamespace) {
        Set<Mounts.Attribute> attributes = EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES);
        if (shared.readOnly()) {
            attributes.add(Mounts.Attribute.READ_ONLY);
        }
        try {
            Mounts.restrict(mount, attributes, false);
            Mounts.mapIds(mount, userNamespace, false);
        } catch (ErrnoException e) {
            throw idMapRefused("the file system of the " + shared.name().kind() + " " + shared.name(), e);
        }
    }

    /// Returns a detached mount of a directory below another one, which is closed.
    ///
    /// @param subpath the root for the mount as it is
    /// @param whole what has it, for errors
    /// @throws HostException MOUNT_SUBPATH
    public static Fd below(Fd mount, InRootPath subpath, String whole) {
        if (subpath.isRoot()) {
            return mount;
        }
        try (mount;
                Fd directory = FileSystem.openAt(
                        mount, subpath.relative(), FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, WITHIN)) {
            return Mounts.copy(directory, false);
        } catch (ErrnoException e) {
            String why = e.is(Errno.EINVAL)
                    ? " cannot be mounted alone by this kernel: use Linux 6.15 or later, or mount all of it"
                    : " is no directory that no link leads to (" + Errno.name(e.errno()) + "): name one that is there";
            throw new HostException("MOUNT_SUBPATH", subpath.absolute() + " of " + whole + why, e);
        }
    }

    /// Makes the files of an image that is mounted.
    /// @param layers directories, topmost first, which stay the caller's
    static Fd image(SlotSource.ImageFiles files, List<Fd> layers, Fd userNamespace, IdRange ids, Zygote zygote) {
        var mapped = new ArrayList<Fd>();
        try {
            layers.forEach(layer -> mapped.add(layer(layer, userNamespace)));
            try (Zygote.Answer made = zygote.cover(ids, mapped)) {
                return below(made.descriptor(), files.subpath(), "the image " + files.image());
            }
        } finally {
            mapped.forEach(Fd::close);
        }
    }

    private static Fd open(Path path, boolean recursive) {
        try (Fd source = FileSystem.openWithoutLinks(path.toString(), FileSystem.O_PATH)) {
            return Mounts.copy(source, recursive);
        } catch (ErrnoException e) {
            throw new HostException(
                    "MOUNT_SOURCE", "the host path " + path + " cannot be mounted (" + Errno.name(e.errno()) + ")", e);
        }
    }

    private static HostException idMapRefused(String what, ErrnoException e) {
        return new HostException(
                "IDMAP_REFUSED",
                what + " cannot be shown through an id map (" + Errno.name(e.errno())
                        + "): put it on ext4, xfs, btrfs or tmpfs; in a pod, mount a volume of the node there,"
                        + " for images an emptyDir at the data directory /var/lib/caisson (docs/in-a-pod.md)",
                e);
    }

    /// Opens the device that the policy checked, whatever stands at its path by now.
    static Fd device(SlotSource.Device device, IdRange ids, Zygote zygote) {
        try (Fd node = FileSystem.openWithoutLinks(device.source().toString(), FileSystem.O_PATH)) {
            if (!DeviceNode.of(FileSystem.status(node))
                    .filter(device.node()::equals)
                    .isPresent()) {
                throw new HostException(
                        "DEVICE_CHANGED",
                        device.source() + " is no longer the device " + device.node() + ": start again");
            }
            try (Zygote.Answer made = zygote.device(ids, node)) {
                return made.descriptor();
            }
        } catch (ErrnoException e) {
            throw new HostException(
                    "DEVICE_SOURCE",
                    "the device " + device.source() + " cannot be opened (" + Errno.name(e.errno()) + ")",
                    e);
        }
    }
}
