package dev.caisson.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Waits for changes of a store of secrets, whose index is renamed into its place: by inotify(7), and each second.
final class StoreChanges implements AutoCloseable {
    private static final long LOOKED_EACH_MILLIS = 1_000;

    private final Path directory;
    private final @Nullable WatchService service;
    private @Nullable WatchKey key;

    StoreChanges(Path directory) {
        this.directory = directory;
        service = service();
        register();
    }

    /// Returns nothing if the user has as many inotify(7) instances as he may: it is looked each second then.
    private static @Nullable WatchService service() {
        try {
            return FileSystems.getDefault().newWatchService();
        } catch (IOException e) {
            return null;
        }
    }

    /// Watches the directory that has the name by now: a store that got another key is another one.
    private void register() {
        if (service == null) {
            return;
        }
        try {
            // not for ENTRY_MODIFY, which each line of the log is
            key = directory.register(
                    service, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_DELETE);
        } catch (IOException e) {
            key = null; // there is no store, or no room for a watch: it is looked each second
        }
    }

    /// Returns when something has changed, or a second has passed.
    void await() throws InterruptedException {
        if (service == null) {
            Thread.sleep(LOOKED_EACH_MILLIS);
            return;
        }
        WatchKey woken = service.poll(LOOKED_EACH_MILLIS, TimeUnit.MILLISECONDS);
        if (woken != null) {
            woken.pollEvents();
        }
        if (key == null || !key.reset()) {
            register();
        }
    }

    @Override
    public void close() {
        if (service == null) {
            return;
        }
        try {
            service.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
