package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The settings for registries that the administrator of the host makes, in `/etc/caisson/registries.json`:
///
/// ```json
/// {"mirrors": {"docker.io": ["mirror.example.org"]}, "plain-http": ["registry.example.org:5000"]}
/// ```
///
/// @param mirrors of each registry, in the order in which a pull asks them
/// @param plainHttp registries and mirrors that are asked by http
public record RegistrySettings(Map<String, List<String>> mirrors, Set<String> plainHttp) {
    private static final Path FILE = Path.of("/etc/caisson/registries.json");
    private static final Json.Limits LIMITS = new Json.Limits(1 << 16, 4, 1000);
    private static final Pattern NAME =
            Pattern.compile("(?:[a-zA-Z0-9.-]{1,253}|\\[[0-9a-fA-F:]{2,45}])(?::\\d{1,5})?");
    private static final int OF_OTHERS = 0022;
    private static final String MIRRORS = "mirrors";
    private static final String PLAIN = "plain-http";

    public RegistrySettings {
        mirrors = Map.copyOf(mirrors);
        plainHttp = Set.copyOf(plainHttp);
    }

    /// Returns those of this host.
    /// @throws RegistryException REGISTRY_SETTINGS if the file cannot be used
    public static RegistrySettings ofHost() {
        return read(FILE);
    }

    /// Reads a file; one that does not exist says nothing.
    static RegistrySettings read(Path file) {
        byte[] content;
        int flags = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY;
        try (Fd opened = FileSystem.open(file.toString(), flags)) {
            FileStatus status = FileSystem.status(opened);
            if (!status.isRegularFile()) {
                throw unusable(file, "it is not a file", null);
            }
            if ((status.permissions() & OF_OTHERS) != 0) {
                throw unusable(file, "others than its owner may write to it", null);
            }
            if (status.uid() != 0 && status.uid() != ownUid()) {
                throw unusable(file, "it belongs to the user " + status.uid() + ", not to root", null);
            }
            content = FileSystem.read(opened, LIMITS.characters() + 1);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
                return new RegistrySettings(Map.of(), Set.of());
            }
            throw unusable(file, Errno.name(e.errno()), e);
        }
        try {
            if (Json.parse(content, LIMITS) instanceof Map<?, ?> map) {
                return of(file, Json.members(map));
            }
        } catch (MalformedJsonException e) {
            throw unusable(file, "it is not JSON, line " + e.line(), e);
        }
        throw unusable(file, "it is not an object", null);
    }

    private static int ownUid() {
        try (Fd self = FileSystem.open("/proc/self", FileSystem.O_PATH)) {
            return FileSystem.status(self).uid();
        }
    }

    private static RegistrySettings of(Path file, Map<String, @Nullable Object> fields) {
        for (String field : fields.keySet()) {
            if (!field.equals(MIRRORS) && !field.equals(PLAIN)) {
                throw unusable(file, "it has the unknown field " + Quoted.of(field), null);
            }
        }
        var mirrors = new LinkedHashMap<String, List<String>>();
        Object given = fields.getOrDefault(MIRRORS, Map.of());
        if (!(given instanceof Map<?, ?> map)) {
            throw unusable(file, MIRRORS + " is not an object", null);
        }
        Json.members(map).forEach((registry, names) -> mirrors.put(name(file, registry), names(file, MIRRORS, names)));
        return new RegistrySettings(mirrors, Set.copyOf(names(file, PLAIN, fields.getOrDefault(PLAIN, List.of()))));
    }

    private static List<String> names(Path file, String field, @Nullable Object value) {
        if (!(value instanceof List<?> list)) {
            throw unusable(file, field + " has no list of registries", null);
        }
        return list.stream().map(one -> name(file, one)).distinct().toList();
    }

    private static String name(Path file, @Nullable Object value) {
        if (value instanceof String name && NAME.matcher(name).matches()) {
            return name;
        }
        throw unusable(file, Quoted.of(String.valueOf(value)) + " is not a registry, HOST or HOST:PORT", null);
    }

    private static RegistryException unusable(Path file, String why, @Nullable Throwable cause) {
        String sentence = file + " cannot be used: " + why + "; mend it or move it away";
        return cause == null
                ? new RegistryException(Code.REGISTRY_SETTINGS, sentence)
                : new RegistryException(Code.REGISTRY_SETTINGS, sentence, cause);
    }

    /// Returns the mirrors that are asked before a registry.
    /// @param registry host and port as in an image's name; `docker.io`
    public List<String> mirrorsOf(String registry) {
        return mirrors.getOrDefault(registry, List.of());
    }

    /// True if a registry is asked by http, and by nothing else.
    boolean isPlain(String registry) {
        return plainHttp.contains(registry);
    }
}
