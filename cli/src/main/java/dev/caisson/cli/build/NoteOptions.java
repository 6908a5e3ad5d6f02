package dev.caisson.cli.build;

import dev.caisson.build.BuildNotes;
import dev.caisson.build.BuildNotes.Provenance;
import dev.caisson.cli.caller.CommandException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The values of `--provenance`, `--attest` and `--annotation`.
final class NoteOptions {
    private static final String PROVENANCE = "--provenance";
    private static final String ATTEST = "--attest";
    private static final Set<String> FIELDS = Set.of("mode", "builder-id", "reproducible", "version", "disabled");

    private NoteOptions() {}

    /// @param provenance of `--provenance`; empty for false
    static BuildNotes parse(String provenance, List<String> attested, List<String> annotations) {
        Optional<Provenance> wanted = provenance(provenance);
        for (String text : attested) {
            wanted = attestation(text);
        }
        var manifest = new LinkedHashMap<String, String>();
        var index = new LinkedHashMap<String, String>();
        for (String text : annotations) {
            annotate(text, manifest, index);
        }
        if (!index.isEmpty() && wanted.isEmpty()) {
            throw CommandException.usage("--annotation index: is for an image with provenance: add --provenance=true");
        }
        return new BuildNotes(wanted, manifest, index);
    }

    private static Optional<Provenance> provenance(String text) {
        return switch (text) {
            case "false" -> Optional.empty();
            case "true" -> Optional.of(new Provenance(false, "", false));
            default -> provenance(PROVENANCE, fields(PROVENANCE, text));
        };
    }

    private static Optional<Provenance> attestation(String text) {
        Map<String, String> fields = fields(ATTEST, text);
        String type = fields.getOrDefault("type", "");
        fields.remove("type");
        return switch (type) {
            case "provenance" -> provenance(ATTEST, fields);
            case "" -> throw CommandException.usage(ATTEST + " has no type: give type=provenance");
            default -> throw CommandException.refused(ATTEST + " type=" + type, "give type=provenance");
        };
    }

    private static Map<String, String> fields(String option, String text) {
        var fields = new LinkedHashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 1) {
                throw CommandException.usage(option + " is true, false or KEY=VALUE,…, as mode=max");
            }
            if (fields.put(part.substring(0, equals), part.substring(equals + 1)) != null) {
                throw CommandException.usage(option + " has " + part.substring(0, equals) + " twice: give it once");
            }
        }
        return fields;
    }

    private static Optional<Provenance> provenance(String option, Map<String, String> fields) {
        fields.keySet().stream()
                .filter(key -> !FIELDS.contains(key))
                .findFirst()
                .ifPresent(key -> {
                    throw CommandException.refused(
                            option + " with " + key,
                            "its fields are mode, builder-id, reproducible, version and disabled");
                });
        if (!fields.getOrDefault("version", "v1").equals("v1")) {
            throw CommandException.refused(option + " version=" + fields.get("version"), "give version=v1");
        }
        boolean all = switch (fields.getOrDefault("mode", "min")) {
            case "min" -> false;
            case "max" -> true;
            default -> throw CommandException.usage(option + " has mode=min or mode=max");
        };
        boolean reproducible = truth(option, "reproducible", fields);
        return truth(option, "disabled", fields)
                ? Optional.empty()
                : Optional.of(new Provenance(all, fields.getOrDefault("builder-id", ""), reproducible));
    }

    private static boolean truth(String option, String key, Map<String, String> fields) {
        return switch (fields.getOrDefault(key, "false")) {
            case "true" -> true;
            case "false" -> false;
            default -> throw CommandException.usage(option + " has " + key + "=true or " + key + "=false");
        };
    }

    private static void annotate(String text, Map<String, String> manifest, Map<String, String> index) {
        int equals = text.indexOf('=');
        if (equals < 1) {
            throw CommandException.usage("--annotation is [manifest:|index:]KEY=VALUE");
        }
        String key = text.substring(0, equals);
        int colon = key.indexOf(':');
        String place = colon < 0 ? "manifest" : key.substring(0, colon);
        Map<String, String> into = switch (place) {
            case "manifest" -> manifest;
            case "index" -> index;
            default ->
                throw CommandException.refused(
                        "--annotation " + place + ":", "give manifest: or index:, of this machine's platform");
        };
        String name = key.substring(colon + 1);
        if (name.isEmpty()) {
            throw CommandException.usage("--annotation has an empty key: give [manifest:|index:]KEY=VALUE");
        }
        into.put(name, text.substring(equals + 1));
    }
}
