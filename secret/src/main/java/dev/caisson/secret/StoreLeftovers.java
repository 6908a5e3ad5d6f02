package dev.caisson.secret;

import java.util.List;
import java.util.Optional;

/// Files of a store that its index does not name. The store's lock is held.
final class StoreLeftovers {
    private StoreLeftovers() {}

    /// Removes the files of versions that the index no longer has.
    static void remove(StoreDirectory root, SecretRecord secret) {
        root.findChild(StoreFiles.SECRETS).ifPresent(found -> {
            try (StoreDirectory secrets = found) {
                removeUnlisted(secrets, secret.name().text(), Optional.of(secret));
            }
        });
    }

    /// Removes what a write that was cut short has left.
    static void remove(StoreDirectory root, StoreIndex index) {
        removeTemporary(root);
        root.findChild(StoreFiles.SECRETS).ifPresent(found -> {
            try (StoreDirectory secrets = found) {
                for (String name : secrets.names()) {
                    removeUnlisted(
                            secrets,
                            name,
                            index.secrets().values().stream()
                                    .filter(secret -> secret.name().text().equals(name))
                                    .findFirst());
                }
            }
        });
    }

    private static void removeTemporary(StoreDirectory directory) {
        directory.names().stream()
                .filter(name -> name.startsWith(StoreDirectory.TEMPORARY))
                .forEach(directory::remove);
    }

    private static void removeUnlisted(StoreDirectory secrets, String name, Optional<SecretRecord> secret) {
        secrets.findChild(name).ifPresent(found -> {
            try (StoreDirectory directory = found) {
                removeTemporary(directory);
                List<String> listed = secret.stream()
                        .flatMap(record -> record.versions().stream())
                        .map(version -> StoreFiles.fileName(version.number()))
                        .toList();
                directory.names().stream()
                        .filter(file -> file.matches("[0-9]+\\.age") && !listed.contains(file))
                        .forEach(directory::remove);
                if (directory.names().isEmpty()) {
                    secrets.remove(name);
                }
            }
        });
    }
}
