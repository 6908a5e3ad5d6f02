package dev.caisson.cli.secret;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.AgeText;
import dev.caisson.secret.BoundSource;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretVersion;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A secret in lists and in Docker's form of an object.
final class SecretRow {
    static final String TABLE = "{{.ID}}\t{{.Name}}\t{{.Version}}\t{{.Expires}}\t{{.CreatedAt}}\t{{.UpdatedAt}}";
    static final Map<String, String> HEADERS = Map.of(
            "ID", "ID",
            "Name", "NAME",
            "Driver", "DRIVER",
            "Version", "VERSION",
            "Expires", "EXPIRES",
            "CreatedAt", "CREATED",
            "UpdatedAt", "UPDATED",
            "Labels", "LABELS");

    private SecretRow() {}

    static Map<String, Object> texts(SecretRecord secret, Instant now) {
        var row = new LinkedHashMap<String, Object>();
        row.put("ID", secret.id());
        row.put("Name", secret.name().text());
        row.put("Driver", "caisson");
        row.put("Version", secret.current());
        row.put("Expires", expires(secret.currentVersion(), now));
        row.put("CreatedAt", AgeText.of(secret.created(), now) + " ago");
        row.put("UpdatedAt", AgeText.of(secret.updated(), now) + " ago");
        row.put(
                "Labels",
                secret.labels().entrySet().stream()
                        .map(label -> OneLine.of(label.getKey() + "=" + label.getValue()))
                        .collect(Collectors.joining(",")));
        return row;
    }

    static String expires(SecretVersion version, Instant now) {
        return version.expires()
                .map(at -> version.isExpired(now) ? "expired" : "in " + AgeText.of(now, at))
                .orElse("never");
    }

    /// Docker's object, with the versions; it has no value.
    static Map<String, Object> object(SecretRecord secret) {
        var object = new LinkedHashMap<String, Object>();
        object.put("ID", secret.id());
        object.put("Version", Map.of("Index", secret.versions().getLast().number()));
        object.put("CreatedAt", secret.created().toString());
        object.put("UpdatedAt", secret.updated().toString());
        var spec = new LinkedHashMap<String, Object>();
        spec.put("Name", secret.name().text());
        spec.put("Labels", secret.labels());
        object.put("Spec", spec);
        if (!secret.access().isAny()) {
            object.put(
                    "For",
                    Map.of(
                            "Images", secret.access().images(),
                            "Names", secret.access().names(),
                            "Labels", secret.access().labels()));
        }
        secret.source().ifPresent(source -> object.put("Source", source(source)));
        object.put("Current", secret.current());
        object.put("Versions", versions(secret));
        return object;
    }

    private static Map<String, Object> source(BoundSource source) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("From", source.from());
        source.tokenFile().ifPresent(file -> fields.put("TokenFile", file.toString()));
        source.tokenSecret().ifPresent(name -> fields.put("TokenSecret", name.text()));
        source.authorities().ifPresent(file -> fields.put("Authorities", file.toString()));
        fields.put("OrLast", source.orLast());
        return fields;
    }

    private static List<Map<String, Object>> versions(SecretRecord secret) {
        var versions = new ArrayList<Map<String, Object>>();
        for (SecretVersion version : secret.versions()) {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("Version", version.number());
            fields.put("CreatedAt", version.created().toString());
            version.expires().ifPresent(at -> fields.put("ExpiresAt", at.toString()));
            versions.add(fields);
        }
        return versions;
    }
}
