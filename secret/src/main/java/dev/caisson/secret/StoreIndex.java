package dev.caisson.secret;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The contents of a store. Whoever knows a recipient can make an age file, so the index has a MAC by a key of
/// the store's identity, and the digest of each file.
///
/// @param generation one more with each change
/// @param recipients of every file
/// @param logged the end of the access log when the index was written
record StoreIndex(
        long generation,
        List<Recipient> recipients,
        AccessLog.End logged,
        NavigableMap<SecretName, SecretRecord> secrets) {
    static final int MOST_SECRETS = 500;
    static final int MOST_BYTES = 4 << 20;
    private static final long FORMAT = 1;
    /// Has secrets that are bound to sources, which a version that does not know them would lose.
    private static final long FORMAT_WITH_SOURCES = 2;
    private static final int MAC_DIGITS = 64;
    private static final Json.Limits LIMITS = new Json.Limits(MOST_BYTES, 8, 200_000);
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    StoreIndex {
        recipients = List.copyOf(recipients);
        secrets = new TreeMap<>(secrets);
    }

    static StoreIndex empty(List<Recipient> recipients) {
        return new StoreIndex(0, recipients, AccessLog.End.NONE, new TreeMap<>());
    }

    Optional<SecretRecord> find(SecretName name) {
        return Optional.ofNullable(secrets.get(name));
    }

    StoreIndex with(SecretRecord secret, AccessLog.End end) {
        var changed = new TreeMap<>(secrets);
        changed.put(secret.name(), secret);
        if (changed.size() > MOST_SECRETS) {
            throw SecretException.invalid("the store has " + MOST_SECRETS + " secrets: remove one first");
        }
        return new StoreIndex(generation + 1, recipients, end, changed);
    }

    StoreIndex without(SecretName name, AccessLog.End end) {
        var changed = new TreeMap<>(secrets);
        changed.remove(name);
        return new StoreIndex(generation + 1, recipients, end, changed);
    }

    /// Returns the content of the index file before it is encrypted: the MAC in hexadecimal digits, and JSON.
    SecretValue write(byte[] key) {
        var fields = new LinkedHashMap<String, Object>();
        boolean bound =
                secrets.values().stream().anyMatch(secret -> secret.source().isPresent());
        fields.put("format", bound ? FORMAT_WITH_SOURCES : FORMAT);
        fields.put("generation", generation);
        fields.put("recipients", recipients.stream().map(Recipient::text).toList());
        fields.put("logSequence", logged.sequence());
        fields.put("logMac", logged.mac());
        fields.put("secrets", secrets.values().stream().map(StoreIndex::fields).toList());
        byte[] json = JSON.toJson(fields).getBytes(StandardCharsets.UTF_8);
        if (json.length > MOST_BYTES - MAC_DIGITS - 1) {
            throw SecretException.invalid("the store's index is full: remove a secret, or labels");
        }
        byte[] mac = (HexFormat.of().formatHex(Kdf.hmac(key).doFinal(json)) + "\n").getBytes(StandardCharsets.US_ASCII);
        SecretValue content = SecretValue.ofSize(mac.length + json.length);
        content.put(0, mac, 0, mac.length);
        content.put(mac.length, json, 0, json.length);
        return content;
    }

    private static Map<String, Object> fields(SecretRecord secret) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", secret.name().text());
        fields.put("id", secret.id());
        fields.put("current", secret.current());
        fields.put("labels", secret.labels());
        if (!secret.access().isAny()) {
            fields.put("forImages", secret.access().images());
            fields.put("forNames", secret.access().names());
            fields.put("forLabels", secret.access().labels());
        }
        secret.source().ifPresent(source -> fields.put("source", StoredSource.fields(source)));
        var versions = new ArrayList<Map<String, Object>>();
        for (SecretVersion version : secret.versions()) {
            var of = new LinkedHashMap<String, Object>();
            of.put("number", version.number());
            of.put("createdMillis", version.created().toEpochMilli());
            version.expires().ifPresent(at -> of.put("expiresMillis", at.toEpochMilli()));
            of.put("digest", version.digest());
            versions.add(of);
        }
        fields.put("versions", versions);
        return fields;
    }

    /// Returns nothing if the content is not one that [#write] made with the key.
    static Optional<StoreIndex> read(SecretValue content, byte[] key) {
        byte[] bytes = content.copy();
        if (bytes.length < MAC_DIGITS + 2 || bytes[MAC_DIGITS] != '\n') {
            return Optional.empty();
        }
        byte[] json = Arrays.copyOfRange(bytes, MAC_DIGITS + 1, bytes.length);
        byte[] mac = HexFormat.of().formatHex(Kdf.hmac(key).doFinal(json)).getBytes(StandardCharsets.US_ASCII);
        if (!MessageDigest.isEqual(mac, Arrays.copyOf(bytes, MAC_DIGITS))) {
            return Optional.empty();
        }
        try {
            return Json.parse(json, LIMITS) instanceof Map<?, ?> map
                    ? Optional.of(of(Json.members(map)))
                    : Optional.empty();
        } catch (MalformedJsonException | ClassCastException e) {
            throw new IllegalStateException("an index with the right MAC is malformed", e);
        }
    }

    private static StoreIndex of(Map<String, @Nullable Object> fields) {
        if (!List.of(FORMAT, FORMAT_WITH_SOURCES).contains(fields.get("format"))) {
            throw SecretException.invalid("the store has the format " + fields.get("format")
                    + ", which a later version of Caisson wrote: use that version");
        }
        var secrets = new TreeMap<SecretName, SecretRecord>();
        for (Map<String, @Nullable Object> secret : objects(fields.get("secrets"))) {
            SecretRecord read = secret(secret);
            secrets.put(read.name(), read);
        }
        return new StoreIndex(
                number(fields, "generation"),
                list(fields.get("recipients")).stream()
                        .map(text -> new Recipient((String) text))
                        .toList(),
                new AccessLog.End(number(fields, "logSequence"), text(fields, "logMac")),
                secrets);
    }

    private static SecretRecord secret(Map<String, @Nullable Object> fields) {
        var versions = new ArrayList<SecretVersion>();
        for (Map<String, @Nullable Object> version : objects(fields.get("versions"))) {
            Optional<Instant> expires = version.get("expiresMillis") instanceof Long at
                    ? Optional.of(Instant.ofEpochMilli(at))
                    : Optional.empty();
            versions.add(new SecretVersion(
                    (int) number(version, "number"),
                    Instant.ofEpochMilli(number(version, "createdMillis")),
                    expires,
                    text(version, "digest")));
        }
        return new SecretRecord(
                new SecretName(text(fields, "name")),
                text(fields, "id"),
                (int) number(fields, "current"),
                versions,
                texts(fields.get("labels")),
                new SecretAccess(
                        list(fields.get("forImages")).stream()
                                .map(String::valueOf)
                                .toList(),
                        list(fields.get("forNames")).stream()
                                .map(String::valueOf)
                                .toList(),
                        texts(fields.get("forLabels"))),
                fields.get("source") instanceof Map<?, ?> source
                        ? Optional.of(StoredSource.of(Json.members(source)))
                        : Optional.empty());
    }

    private static Map<String, String> texts(@Nullable Object value) {
        var texts = new LinkedHashMap<String, String>();
        if (value instanceof Map<?, ?> map) {
            Json.members(map).forEach((key, text) -> texts.put(key, String.valueOf(text)));
        }
        return texts;
    }

    private static List<Map<String, @Nullable Object>> objects(@Nullable Object value) {
        var objects = new ArrayList<Map<String, @Nullable Object>>();
        for (Object object : list(value)) {
            objects.add(Json.members((Map<?, ?>) object));
        }
        return objects;
    }

    private static List<?> list(@Nullable Object value) {
        return value instanceof List<?> list ? list : List.of();
    }

    private static long number(Map<String, @Nullable Object> fields, String name) {
        return fields.get(name) instanceof Long number ? number : 0;
    }

    private static String text(Map<String, @Nullable Object> fields, String name) {
        return String.valueOf(fields.get(name));
    }
}
