package dev.caisson.build;

import dev.caisson.build.Operation.Origin;
import dev.caisson.build.RunMount.Agent;
import dev.caisson.build.RunMount.Bind;
import dev.caisson.build.RunMount.Cache;
import dev.caisson.build.RunMount.Cache.Sharing;
import dev.caisson.build.RunMount.Secret;
import dev.caisson.build.RunMount.Tmpfs;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.build.Stage;
import dev.caisson.containerfile.dockerfile.DockerfileNode.Flag;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads one `--mount` of a `RUN`.
final class MountPlanner {
    private static final Map<String, String> SAME =
            Map.of("dst", "target", "destination", "target", "src", "source", "ro", "readonly", "rw", "readwrite");
    private static final Map<String, Set<String>> KEYS = Map.of(
            "bind", Set.of("target", "source", "from", "readonly", "readwrite"),
            "cache", Set.of("target", "source", "from", "readonly", "readwrite", "id", "sharing", "mode", "uid", "gid"),
            "tmpfs", Set.of("target", "size"),
            "secret", Set.of("target", "id", "env", "required", "mode", "uid", "gid"),
            "ssh", Set.of("target", "id", "required", "mode", "uid", "gid"));
    private static final String AGENTS = "/run/buildkit/ssh_agent."; // where programs of BuildKit's users look
    private static final String SECRETS = "/run/secrets/";
    private static final int LAST_ID = 65_535;
    private static final int OCTAL = 8;

    private final StageGraph graph;
    private final Stage stage;
    private final Scope scope;
    private final Settings settings;
    private int agents;

    /// Makes one that plans the mounts of one `RUN`, in their order.
    MountPlanner(StageGraph graph, Stage stage, Scope scope, Settings settings) {
        this.graph = graph;
        this.stage = stage;
        this.scope = scope;
        this.settings = settings;
    }

    RunMount plan(Flag flag) {
        Place place = flag.place();
        Map<String, String> fields = fields(flag.value().orElse(""), place);
        String type = fields.getOrDefault("type", "bind");
        fields.remove("type");
        Set<String> known = KEYS.get(type);
        if (known == null) {
            throw bad(place, "type=" + type + " is unknown: it is bind, cache, tmpfs, secret or ssh");
        }
        fields.keySet().stream().filter(key -> !known.contains(key)).findFirst().ifPresent(key -> {
            throw bad(
                    place,
                    "type=" + type + " has no " + key + ": it has "
                            + String.join(", ", known.stream().sorted().toList()));
        });
        if (fields.containsKey("env")) {
            throw bad(place, "env= would keep the secret in the container's record: read it from its file");
        }
        if (isOn(fields, "readwrite", place) && type.equals("bind")) {
            throw bad(place, "a bind is only read: copy what the command changes");
        }
        return switch (type) {
            case "cache" -> cache(fields, place);
            case "tmpfs" -> new Tmpfs(target(fields, place), Optional.ofNullable(fields.get("size")));
            case "secret" -> secret(fields, place);
            case "ssh" -> agent(fields, place);
            default ->
                new Bind(origin(fields.get("from"), place), fields.getOrDefault("source", "/"), target(fields, place));
        };
    }

    private Map<String, String> fields(String text, Place place) {
        var fields = new HashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            String written = (equals < 0 ? part : part.substring(0, equals)).toLowerCase(Locale.ROOT);
            String value = equals < 0 ? "true" : part.substring(equals + 1);
            String key = SAME.getOrDefault(written, written);
            if (key.equals("from") && value.indexOf('$') >= 0) {
                throw bad(place, "from=" + value + " has a variable: give that image a stage of its own by FROM");
            }
            if (fields.put(key, scope.expand(value, place)) != null) {
                throw bad(place, key + " is given twice");
            }
        }
        return fields;
    }

    private Origin origin(@Nullable String from, Place place) {
        if (from == null) {
            return new Origin.Context();
        }
        Optional<Stage> source = graph.source(stage, from);
        return source.isPresent()
                ? new Origin.Stage(source.get().index())
                : new Origin.Image(from, graph.platform(stage), place);
    }

    private String target(Map<String, String> fields, Place place) {
        String target = fields.getOrDefault("target", "");
        if (target.isEmpty()) {
            throw bad(place, "a mount has no target: add target=PATH");
        }
        String path = TargetPath.of(settings.workingDirectory(), target, place).path();
        if (path.equals("/")) {
            throw bad(place, "a mount cannot cover /: name a directory below it");
        }
        return path;
    }

    private Cache cache(Map<String, String> fields, Place place) {
        if (fields.containsKey("from") || fields.containsKey("source")) {
            throw bad(place, "a cache begins empty here: leave from and source out");
        }
        String target = target(fields, place);
        String sharing = fields.getOrDefault("sharing", "shared");
        if (!List.of("shared", "private", "locked").contains(sharing)) {
            throw bad(place, "sharing=" + sharing + " is unknown: it is shared, private or locked");
        }
        // its directory is open to every user of the container, so that owner and mode have nothing to say
        mode(fields, 0, place);
        id(fields, "uid", place);
        id(fields, "gid", place);
        return new Cache(
                fields.getOrDefault("id", target),
                target,
                isOn(fields, "readonly", place),
                Sharing.valueOf(sharing.toUpperCase(Locale.ROOT)));
    }

    private Secret secret(Map<String, String> fields, Place place) {
        String target = fields.getOrDefault("target", "");
        String id = fields.getOrDefault("id", target.substring(target.lastIndexOf('/') + 1));
        if (id.isEmpty()) {
            throw bad(place, "a secret has neither id nor target: add id=NAME");
        }
        String path = target.isEmpty() ? SECRETS + id : target;
        return new Secret(
                id,
                TargetPath.of(settings.workingDirectory(), path, place).path(),
                isOn(fields, "required", place),
                mode(fields, 0400, place),
                id(fields, "uid", place),
                id(fields, "gid", place));
    }

    private Agent agent(Map<String, String> fields, Place place) {
        fields.putIfAbsent("target", AGENTS + agents++);
        return new Agent(
                fields.getOrDefault("id", Agent.DEFAULT),
                target(fields, place),
                isOn(fields, "required", place),
                mode(fields, 0600, place),
                id(fields, "uid", place),
                id(fields, "gid", place));
    }

    private static boolean isOn(Map<String, String> fields, String key, Place place) {
        String value = fields.getOrDefault(key, "false");
        return switch (value) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw bad(place, key + "=" + value + " is neither true nor false");
        };
    }

    private static int mode(Map<String, String> fields, int standard, Place place) {
        String text = fields.get("mode");
        if (text == null) {
            return standard;
        }
        if (!text.matches("[0-7]{1,4}")) {
            throw bad(place, "mode=" + text + " is no octal number, as 0755");
        }
        return Integer.parseInt(text, OCTAL);
    }

    private static int id(Map<String, String> fields, String key, Place place) {
        String text = fields.getOrDefault(key, "0");
        if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > LAST_ID) {
            throw bad(place, key + "=" + text + " is not a number up to " + LAST_ID);
        }
        return Integer.parseInt(text);
    }

    private static BuildException bad(Place place, String sentence) {
        return new BuildException("BUILD_MOUNT", place, sentence);
    }
}
