package dev.caisson.cli;

import dev.caisson.cgroup.Bytes;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.InRootPath;
import dev.caisson.launch.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The three spellings of a mount, `-v`, `--mount` and `--tmpfs`, in one normal form.
final class MountOptions {
    private static final Bytes TMPFS_SIZE = Bytes.mebibytes(64);
    private static final int TMPFS_MODE = 01777;
    private static final Set<String> MOUNT_KEYS = Set.of(
            "type", "source", "src", "target", "destination", "dst", "readonly", "ro", "tmpfs-size", "tmpfs-mode");

    private MountOptions() {}

    static ContainerSpec apply(ContainerSpec start, List<String> volumes, List<String> mounts, List<String> tmpfs) {
        ContainerSpec spec = start;
        for (String volume : volumes) {
            spec = spec.mount(volume(volume));
        }
        for (String mount : mounts) {
            spec = spec.mount(mount(mount));
        }
        for (String text : tmpfs) {
            spec = spec.mount(tmpfs(text));
        }
        return spec;
    }

    private static Mount volume(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length < 2 || parts.length > 3) {
            throw bad("-v " + text, "give HOST:TARGET or HOST:TARGET:ro");
        }
        boolean readOnly = parts.length == 3 && parts[2].equals("ro");
        if (parts.length == 3 && !readOnly && !parts[2].equals("rw")) {
            throw bad("-v " + text, "the third part is ro or rw");
        }
        return bind("-v " + text, parts[0], parts[1], readOnly);
    }

    private static Mount bind(String option, String source, String target, boolean readOnly) {
        if (!source.startsWith("/")) {
            throw bad(option, "the host path is absolute; named volumes are not part of this version");
        }
        Path path = Path.of(source);
        return new Mount.Bind(path, target(option, target), readOnly, Files.exists(path) && !Files.isDirectory(path));
    }

    private static Mount mount(String text) {
        Map<String, String> keys = new HashMap<>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            if (!MOUNT_KEYS.contains(key)) {
                throw bad("--mount " + text, "it has no key '" + key + "'");
            }
            if (keys.put(canonical(key), equals < 0 ? "true" : part.substring(equals + 1)) != null) {
                throw bad("--mount " + text, "'" + key + "' is given twice");
            }
        }
        boolean readOnly = keys.getOrDefault("readonly", "false").matches("true|1");
        String target = keys.getOrDefault("target", "");
        return switch (keys.getOrDefault("type", "")) {
            case "bind" -> bind("--mount " + text, keys.getOrDefault("source", ""), target, readOnly);
            case "tmpfs" ->
                new Mount.Tmpfs(
                        target("--mount " + text, target),
                        keys.containsKey("tmpfs-size") ? Bytes.parse(keys.getOrDefault("tmpfs-size", "")) : TMPFS_SIZE,
                        mode("--mount " + text, keys.getOrDefault("tmpfs-mode", "1777")),
                        readOnly,
                        false);
            default -> throw bad("--mount " + text, "the type is bind or tmpfs; volumes are not part of this version");
        };
    }

    private static String canonical(String key) {
        return switch (key) {
            case "src" -> "source";
            case "dst", "destination" -> "target";
            case "ro" -> "readonly";
            default -> key;
        };
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

    private static int mode(String option, String text) {
        if (!text.matches("[0-7]{1,5}")) {
            throw bad(option, "a mode is an octal number, as 1777");
        }
        return Integer.parseInt(text, 8);
    }

    private static InRootPath target(String option, String text) {
        try {
            return InRootPath.parse(text);
        } catch (IllegalArgumentException e) {
            throw bad(option, "the target '" + text + "' " + e.getMessage());
        }
    }

    private static CommandException bad(String what, String advice) {
        return new CommandException("MOUNT_INVALID", CommandException.ENGINE_FAILED, what + ": " + advice);
    }
}
