package dev.caisson.engine;

import dev.caisson.image.Digest;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.ImageStore;
import dev.caisson.image.NewLayer;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.StoredValues;
import dev.caisson.secret.ValueForm;
import dev.caisson.text.Json;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Refuses images that have a stored value, in their configuration, in a file of a layer or in a statement beside
/// it. A store that is not there, or does not open without asking, is passed over; one that did not open is tried
/// again after a while.
final class ImageTaint implements AutoCloseable {
    private static final int PIECE = 128 * 1024;
    private static final TarWriter.Attributes AS_FILE = new TarWriter.Attributes(0600, 0, 0, Instant.EPOCH);
    /// Sets of values that were replaced: others may be searching for them.
    private static final int RETAINED = 4;

    /// Opening a store that is locked may run a program, which may hang: at most so large a part of the time.
    private static final int PART_OF_TIME = 10;

    private static final Duration LONGEST_REST = Duration.ofMinutes(5);

    private final Path directory;
    private Optional<StoreStamp> stamp = Optional.empty();
    private @Nullable StoredValues known;
    private boolean locked;
    private long lockedUntil;
    private final Deque<StoredValues> former = new ArrayDeque<>();

    /// @param directory of the store, which need not exist
    ImageTaint(Path directory) {
        this.directory = directory;
    }

    /// Returns the values; nothing if there is nothing to look for. The store is read again if it has changed.
    private synchronized Optional<StoredValues> values() {
        if (!Files.isDirectory(directory)) {
            return Optional.empty();
        }
        Optional<StoreStamp> present = StoreStamp.of(directory);
        if (!present.equals(stamp) || (locked && System.nanoTime() - lockedUntil >= 0)) {
            forget();
            locked = false;
            long began = System.nanoTime();
            try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
                known = store.values("scan", "images that are made, or go in or out");
            } catch (SecretException e) {
                if (e.reason() != SecretException.Code.SECRET_LOCKED
                        && e.reason() != SecretException.Code.SECRET_STORE_MISSING) {
                    throw e;
                }
                locked = true;
                Duration rest = Duration.ofNanos(System.nanoTime() - began).multipliedBy(PART_OF_TIME);
                lockedUntil = System.nanoTime() + (rest.compareTo(LONGEST_REST) < 0 ? rest : LONGEST_REST).toNanos();
            }
            stamp = present;
        }
        return Optional.ofNullable(known).filter(one -> !one.matcher().isEmpty());
    }

    /// True if there are values to look for.
    boolean looks() {
        return values().isPresent();
    }

    /// Returns layers that fail while they are written if they have a value.
    List<NewLayer> checked(List<NewLayer> layers) {
        Optional<StoredValues> values = values();
        return values.isEmpty()
                ? layers
                : layers.stream().map(layer -> checked(layer, values.get())).toList();
    }

    /// Like the other, for one layer.
    NewLayer checked(NewLayer layer) {
        return values().map(values -> checked(layer, values)).orElse(layer);
    }

    private static NewLayer checked(NewLayer layer, StoredValues values) {
        return new NewLayer(tar -> copy(layer.content(), tar, "its new layer", values), layer.compress());
    }

    /// Returns a configuration that fails if it has a value.
    <T> Function<T, byte[]> checked(Function<T, byte[]> config) {
        return of -> {
            byte[] made = config.apply(of);
            requireClean(made);
            return made;
        };
    }

    /// Returns annotations without a value, and a statement that fails if it has one.
    /// @throws EngineException SECRET_IN_IMAGE
    ImageNotes checked(ImageNotes notes) {
        values().ifPresent(values -> {
            walk("annotations", notes.manifest(), values);
            walk("annotations", notes.index(), values);
        });
        return new ImageNotes(
                notes.manifest(),
                notes.index(),
                notes.statement()
                        .map(statement ->
                                new ImageNotes.Statement(statement.predicateType(), checked(statement.about()))));
    }

    /// Searches each image once, however many names it has, and what others state about it.
    /// @throws EngineException SECRET_IN_IMAGE
    void requireClean(List<StoredImage> images, ImageStore store) {
        var searched = new HashSet<Digest>();
        for (StoredImage image : images) {
            if (looks()) {
                if (searched.add(image.manifest())) {
                    requireClean(store.config(image));
                    store.readLayers(image, this::requireClean);
                }
                store.readBeside(image, this::requireClean);
            }
        }
    }

    /// Searches a manifest, an index or a statement, also in what is packed in it.
    private void requireClean(Digest digest, long size, InputStream content) throws IOException {
        Optional<StoredValues> values = values();
        if (values.isPresent()) {
            NewLayer.Content asFile = to -> {
                var archive = new TarWriter(to);
                archive.file(digest.hex(), size, AS_FILE);
                byte[] piece = new byte[PIECE];
                for (int count = content.read(piece); count >= 0; count = content.read(piece)) {
                    archive.content(piece, count);
                }
                archive.finish();
            };
            copy(asFile, OutputStream.nullOutputStream(), "its manifests and statements", values.get());
        }
    }

    /// @param config JSON of the OCI image specification
    /// @throws EngineException SECRET_IN_IMAGE
    void requireClean(byte[] config) {
        values().ifPresent(values -> walk("", Json.parse(config, Json.Limits.DEFAULT), values));
    }

    /// @param index of the layer, from 0
    /// @throws EngineException SECRET_IN_IMAGE
    void requireClean(int index, InputStream archive) throws IOException {
        Optional<StoredValues> values = values();
        if (values.isEmpty()) {
            return;
        }
        var search = new LayerSearch(values.get().matcher());
        byte[] piece = new byte[PIECE];
        try {
            for (int count = archive.read(piece); count >= 0; count = archive.read(piece)) {
                requireClean(search.take(piece, 0, count), "layer " + (index + 1), values.get());
            }
        } finally {
            search.end();
        }
    }

    private static void walk(String place, @Nullable Object json, StoredValues values) {
        if (json instanceof Map<?, ?> map) {
            Json.members(map).forEach((name, value) -> {
                requireClean("a name below " + (place.isEmpty() ? "its top" : place), name, values);
                walk(place.isEmpty() ? name : place + "." + name, value, values);
            });
        } else if (json instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                String variable = variable(list.get(i), place);
                walk(place + "[" + i + "]" + (has(variable, values) ? "" : variable), list.get(i), values);
            }
        } else if (json instanceof String text) {
            requireClean(place, text, values);
        }
    }

    /// Names the variable too, as nobody counts them.
    private static String variable(@Nullable Object element, String place) {
        if (place.endsWith(".Env")
                && element instanceof String text
                && text.matches("(?s)[A-Za-z_][A-Za-z0-9_]{0,254}=.*")) {
            return ", the variable " + text.substring(0, text.indexOf('='));
        }
        return "";
    }

    private static void requireClean(String place, String text, StoredValues values) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int _ = values.matcher().search(bytes, 0, bytes.length, (value, form, from, to) -> {
            throw tainted("its configuration, " + place, values.name(value), form);
        });
    }

    private static boolean has(String text, StoredValues values) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        boolean[] found = new boolean[1];
        int _ = values.matcher().search(bytes, 0, bytes.length, (_, _, _, _) -> found[0] = true);
        return found[0];
    }

    private static EngineException tainted(String place, String secret, ValueForm form) {
        return new EngineException(
                "SECRET_IN_IMAGE",
                "the image has the value of the secret " + secret + ", " + form.words() + ", in " + place
                        + ": take it out, and give it to the step by --mount=type=secret, or to containers by --secret");
    }

    /// Passes a layer on, and searches what is written.
    private static void copy(NewLayer.Content content, OutputStream tar, String place, StoredValues values)
            throws IOException {
        var search = new LayerSearch(values.matcher());
        try {
            content.writeTo(new OutputStream() {
                @Override
                public void write(int one) throws IOException {
                    write(new byte[] {(byte) one}, 0, 1);
                }

                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    requireClean(search.take(bytes, from, length), place, values);
                    tar.write(bytes, from, length);
                }
            });
        } finally {
            search.end();
        }
    }

    private static void requireClean(Optional<LayerSearch.Found> found, String layer, StoredValues values) {
        found.ifPresent(one -> {
            throw tainted("the file " + Quoted.of(one.file()) + " of " + layer, values.name(one.value()), one.form());
        });
    }

    private void forget() {
        if (known != null) {
            former.addFirst(known);
            known = null;
        }
        if (former.size() > RETAINED) {
            former.removeLast().close();
        }
    }

    /// Clears the values.
    @Override
    public synchronized void close() {
        forget();
        former.forEach(StoredValues::close);
        former.clear();
    }
}
