package dev.caisson.secret;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A source that a secret is bound to, in the JSON of the index.
final class StoredSource {
    private StoredSource() {}

    static Map<String, Object> fields(BoundSource source) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("from", source.from());
        source.tokenFile().ifPresent(file -> fields.put("tokenFile", file.toString()));
        source.tokenSecret().ifPresent(name -> fields.put("tokenSecret", name.text()));
        source.authorities().ifPresent(file -> fields.put("authorities", file.toString()));
        fields.put("orLast", source.orLast());
        return fields;
    }

    static BoundSource of(Map<String, @Nullable Object> fields) {
        return new BoundSource(
                String.valueOf(fields.get("from")),
                text(fields, "tokenFile").map(Path::of),
                text(fields, "tokenSecret").map(SecretName::new),
                text(fields, "authorities").map(Path::of),
                Boolean.TRUE.equals(fields.get("orLast")));
    }

    private static Optional<String> text(Map<String, @Nullable Object> fields, String name) {
        return fields.get(name) instanceof String text ? Optional.of(text) : Optional.empty();
    }
}
