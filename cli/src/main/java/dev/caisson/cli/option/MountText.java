package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.error.ArgumentException;
import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageReference;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Docker's `--mount`: keys and values, some of which belong to one type of mount.
final class MountText {
    /// Keys that may stand without a value.
    private static final Set<String> SWITCHES = Set.of("readonly", "volume-nocopy");
    /// Keys that may be given several times.
    private static final Set<String> LISTS = Set.of("volume-opt", "volume-label");
    private static final Set<String> TYPES = Set.of("volume", "bind", "tmpfs", "image");
    private static final Set<String> COMMON = Set.of("type", "source", "target", "readonly", "consistency");
    private static final Set<String> OWN = Set.of(
            "volume-nocopy",
            "volume-driver",
            "volume-subpath",
            "volume-opt",
            "volume-label",
            "image-subpath",
            "bind-propagation",
            "tmpfs-size",
            "tmpfs-mode");

    private final String option;
    private final Map<String, String> keys = new HashMap<>();
    private final List<String> bounds = new ArrayList<>();
    private final List<String> labels = new ArrayList<>();

    private MountText(String text) {
        this.option = "--mount " + text;
        fields(text).forEach(this::read);
    }

    static Mount parse(String text) {
        return new MountText(text).mount();
    }

    /// Splits one line of CSV (RFC 4180), as Docker reads it: a field in quotes may hold commas, and a quote twice.
    private List<String> fields(String text) {
        var fields = new ArrayList<String>();
        int at = 0;
        while (at <= text.length()) {
            if (at == text.length() || text.charAt(at) != '"') {
                int comma = text.indexOf(',', at);
                String field = text.substring(at, comma < 0 ? text.length() : comma);
                if (field.indexOf('"') >= 0) {
                    throw bad("a quote stands in a field that does not begin with one: quote the whole KEY=VALUE");
                }
                fields.add(field);
                at += field.length() + 1;
                continue;
            }
            var field = new StringBuilder();
            for (at++; at < text.length() && (text.charAt(at) != '"' || text.startsWith("\"\"", at)); at++) {
                field.append(text.charAt(at));
                if (text.charAt(at) == '"') {
                    at++;
                }
            }
            if (at == text.length() || (at + 1 < text.length() && text.charAt(at + 1) != ',')) {
                throw bad("a quote is not closed at the end of its field: quote the whole KEY=VALUE");
            }
            fields.add(field.toString());
            at += 2;
        }
        return fields;
    }

    private void read(String part) {
        int equals = part.indexOf('=');
        String written = equals < 0 ? part : part.substring(0, equals);
        String key = canonical(written.toLowerCase(Locale.ROOT));
        if (!COMMON.contains(key) && !OWN.contains(key)) {
            throw bad(
                    Set.of("bind-recursive", "bind-nonrecursive", "bind-create-src")
                                    .contains(key)
                            ? "'" + key + "' is not part of this version: a bind shows all that is mounted below it"
                            : "it has no key '" + written + "'");
        }
        if (equals < 0 && !SWITCHES.contains(key)) {
            throw bad("'" + written + "' needs a value, as " + written + "=VALUE");
        }
        String value = equals < 0 ? "true" : part.substring(equals + 1);
        if (LISTS.contains(key)) {
            (key.equals("volume-opt") ? bounds : labels).add(value);
        }
        if (keys.put(key, value) != null && !LISTS.contains(key)) {
            throw bad("'" + written + "' is given twice");
        }
    }

    private static String canonical(String key) {
        return switch (key) {
            case "src" -> "source";
            case "dst", "destination" -> "target";
            case "ro" -> "readonly";
            default -> key;
        };
    }

    private Mount mount() {
        String type = value("type", "volume");
        if (!TYPES.contains(type)) {
            throw bad("the type is volume, bind, tmpfs or image; workspaces are --workspace");
        }
        for (String key : keys.keySet()) {
            if (!COMMON.contains(key) && !key.startsWith(type + "-")) {
                throw bad("'" + key + "' is for another type than " + type + ": leave it out");
            }
        }
        boolean readOnly = isOn("readonly", type.equals("image"));
        String source = value("source", "");
        return switch (type) {
            case "bind" -> {
                if (!List.of("rprivate", "private").contains(value("bind-propagation", "rprivate"))) {
                    throw bad(
                            "mounts are rprivate, so that none passes to or from the host: leave bind-propagation out");
                }
                yield MountOptions.bind(option, source, value("target", ""), readOnly);
            }
            case "tmpfs" -> {
                if (!source.isEmpty()) {
                    throw bad("a tmpfs has no source: leave it out");
                }
                yield new Mount.Tmpfs(
                        target(),
                        keys.containsKey("tmpfs-size") ? Bytes.parse(value("tmpfs-size", "")) : MountOptions.TMPFS_SIZE,
                        MountOptions.mode(option, value("tmpfs-mode", "1777")),
                        readOnly,
                        false);
            }
            case "image" -> image(source, readOnly);
            default -> volume(source, readOnly);
        };
    }

    private Mount volume(String source, boolean readOnly) {
        String driver = value("volume-driver", "local");
        if (!driver.equals("local")) {
            throw bad("the driver of a volume is local, not '" + driver + "'");
        }
        if (source.isEmpty() && keys.containsKey("volume-subpath")) {
            throw bad("a new volume has no directory: name a volume by source");
        }
        return new Mount.Volume(
                source.isEmpty() ? Optional.empty() : Optional.of(MountOptions.volumeName(option, source)),
                target(),
                readOnly,
                !isOn("volume-nocopy", false),
                subpath("volume-subpath"),
                made());
    }

    private VolumeSpec made() {
        VolumeSpec made = VolumeSpec.unnamed();
        for (String bound : bounds) {
            int equals = bound.indexOf('=');
            String key = equals < 0 ? bound : bound.substring(0, equals);
            String text = equals < 0 ? "" : bound.substring(equals + 1);
            made = switch (key) {
                case "size" -> made.size(text);
                case "inodes" -> {
                    if (!text.matches("[0-9]{1,9}")) {
                        throw bad("volume-opt=inodes takes a number, not '" + text + "'");
                    }
                    yield made.inodes(Long.parseLong(text));
                }
                case "type", "o", "device" ->
                    throw bad("volume-opt=" + key + " mounts a file system of the host: mount it there, and use"
                            + " type=bind with --allow host-paths");
                default -> throw bad("volume-opt takes size=SIZE or inodes=NUMBER, not '" + key + "'");
            };
        }
        for (String label : labels) {
            int equals = label.indexOf('=');
            made = equals < 0
                    ? made.label(label, "")
                    : made.label(label.substring(0, equals), label.substring(equals + 1));
        }
        return made;
    }

    private Mount image(String source, boolean readOnly) {
        if (source.isEmpty()) {
            throw bad("an image is named by source");
        }
        if (!readOnly) {
            throw bad("an image is mounted to be read: leave readonly out");
        }
        ImageReference image;
        try {
            image = ImageReference.parse(source);
        } catch (CaissonException e) {
            throw bad("the source: " + e.sentence());
        }
        return new Mount.ImageFiles(image, target(), subpath("image-subpath"));
    }

    /// Reads a path from a root, with or without a slash before it.
    private Optional<InRootPath> subpath(String key) {
        if (!keys.containsKey(key)) {
            return Optional.empty();
        }
        String path = value(key, "");
        try {
            return Optional.of(InRootPath.parse(path.startsWith("/") ? path : "/" + path));
        } catch (ArgumentException e) {
            throw bad(key + ": " + e.sentence());
        }
    }

    private InRootPath target() {
        return MountOptions.target(option, value("target", ""));
    }

    private String value(String key, String otherwise) {
        return keys.getOrDefault(key, otherwise);
    }

    private boolean isOn(String key, boolean otherwise) {
        return keys.containsKey(key) ? BooleanText.parse(option + ", " + key, value(key, "")) : otherwise;
    }

    private CommandException bad(String advice) {
        return MountOptions.bad(option, advice);
    }
}
