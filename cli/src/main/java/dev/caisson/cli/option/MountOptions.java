package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The three spellings of a mount, `-v`, `--mount` and `--tmpfs`, in one normal form.
final class MountOptions {
    static final Bytes TMPFS_SIZE = Bytes.mebibytes(64);
    private static final int TMPFS_MODE = 01777;
    private static final Path SELINUX = Path.of("/sys/fs/selinux/enforce");

    private MountOptions() {}

    static ContainerSpec apply(ContainerSpec start, List<String> volumes, List<String> mounts, List<String> tmpfs) {
        ContainerSpec spec = start;
        for (String volume : volumes) {
            spec = spec.mount(volume(volume));
        }
        for (String mount : mounts) {
            spec = spec.mount(MountText.parse(mount));
        }
        for (String text : tmpfs) {
            spec = spec.mount(tmpfs(text));
        }
        return spec;
    }

    static ContainerSpec workspaces(ContainerSpec start, List<String> workspaces) {
        ContainerSpec spec = start;
        for (String workspace : workspaces) {
            spec = spec.mount(workspace(workspace));
        }
        return spec;
    }

    private static Mount workspace(String text) {
        String[] parts = text.split(":", -1);
        String option = "--workspace " + text;
        if (parts.length < 2 || parts.length > 3 || (parts.length == 3 && !parts[2].matches("r[ow]"))) {
            throw bad(option, "give NAME:TARGET, or NAME:TARGET:ro");
        }
        if (!WorkspaceName.isValid(parts[0])) {
            throw bad(option, "'" + parts[0] + "' is not the name of a workspace: see 'caisson workspace ls'");
        }
        boolean readOnly = parts.length == 3 && parts[2].equals("ro");
        return new Mount.Workspace(new WorkspaceName(parts[0]), target(option, parts[1]), readOnly);
    }

    private static Mount volume(String text) {
        String[] parts = text.split(":", -1);
        String option = "-v " + text;
        if (parts.length > 3) {
            throw bad(option, "give TARGET, VOLUME:TARGET or HOST:TARGET, and :ro after them");
        }
        if (parts.length == 1) {
            return new Mount.Volume(Optional.empty(), target(option, text), false, true);
        }
        boolean readOnly = parts.length == 3 && isReadOnly(option, parts[2]);
        if (isPath(parts[0])) {
            return bind(option, parts[0], parts[1], readOnly);
        }
        boolean copy = parts.length < 3 || !List.of(parts[2].split(",", -1)).contains("nocopy");
        return new Mount.Volume(Optional.of(volumeName(option, parts[0])), target(option, parts[1]), readOnly, copy);
    }

    private static boolean isPath(String source) {
        return source.startsWith("/")
                || source.equals(".")
                || source.equals("..")
                || source.startsWith("./")
                || source.startsWith("../");
    }

    static VolumeName volumeName(String option, String name) {
        if (!VolumeName.isValid(name)) {
            throw bad(
                    option,
                    "'" + name
                            + "' is neither the name of a volume, which has 2 to 128 letters, digits, '_', '.' and '-',"
                            + " nor a path, which starts with / or ./");
        }
        return new VolumeName(name);
    }

    /// Reads the third part of a volume. What says how macOS shares files has no meaning here, as with Docker.
    private static boolean isReadOnly(String option, String flags) {
        Set<String> access = new HashSet<>();
        for (String flag : flags.split(",", -1)) {
            switch (flag) {
                case "ro", "rw" -> access.add(flag);
                case "z", "Z" -> requireNoLabels(option, flag);
                case "rprivate", "private", "nocopy", "cached", "delegated", "consistent" -> {}
                default -> throw bad(option, "the third part is ro or rw, with or without z, not '" + flag + "'");
            }
        }
        if (access.size() > 1) {
            throw bad(option, "it is both ro and rw: give one");
        }
        return access.contains("ro");
    }

    /// Files get another label of SELinux for z and Z, which this version does not do.
    private static void requireNoLabels(String option, String flag) {
        if (Files.exists(SELINUX)) {
            throw bad(option, flag + " relabels files, which is not part of this version: label them with chcon(1)");
        }
    }

    static Mount bind(String option, String source, String target, boolean readOnly) {
        Path path = source(option, source);
        return new Mount.Bind(path, target(option, target), readOnly, Files.exists(path) && !Files.isDirectory(path));
    }

    /// A path that starts with a dot is relative to the working directory.
    private static Path source(String option, String text) {
        if (text.startsWith("/")) {
            return HostPath.of(text);
        }
        if (isPath(text)) {
            return absolute(option, HostPath.of(text));
        }
        throw bad(option, "the source of a bind is a path that starts with / or ./");
    }

    private static Path absolute(String option, Path path) {
        return Caller.current()
                .absolute(path)
                .orElseThrow(() -> bad(
                        option,
                        "the working directory is gone or its name is not UTF-8: give a path that starts with /"))
                .normalize();
    }

    private static Mount tmpfs(String text) {
        int colon = text.indexOf(':');
        String target = colon < 0 ? text : text.substring(0, colon);
        Bytes size = TMPFS_SIZE;
        int mode = TMPFS_MODE;
        boolean readOnly = false;
        boolean executable = false;
        for (String option :
                colon < 0 ? new String[0] : text.substring(colon + 1).split(",", -1)) {
            switch (option) {
                case "ro" -> readOnly = true;
                case "rw", "noexec", "nosuid", "nodev" -> {}
                case "exec" -> executable = true;
                case String value when value.startsWith("size=") -> size = Bytes.parse(value.substring(5));
                case String value when value.startsWith("mode=") -> mode = mode("--tmpfs " + text, value.substring(5));
                default -> throw bad("--tmpfs " + text, "it has no option '" + option + "'");
            }
        }
        return new Mount.Tmpfs(target("--tmpfs " + text, target), size, mode, readOnly, executable);
    }

    static int mode(String option, String text) {
        if (!text.matches("[0-7]{1,5}")) {
            throw bad(option, "a mode is an octal number, as 1777");
        }
        return Integer.parseInt(text, 8);
    }

    static InRootPath target(String option, String text) {
        if (text.isEmpty()) {
            throw bad(option, "it has no target: name a path of the container, as /data");
        }
        try {
            return InRootPath.parse(text);
        } catch (ArgumentException e) {
            throw bad(option, "the target: " + e.sentence());
        }
    }

    static CommandException bad(String what, String advice) {
        return new CommandException("MOUNT_INVALID", CommandException.ENGINE_FAILED, what + ": " + advice);
    }
}
