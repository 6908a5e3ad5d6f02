package dev.caisson.build;

import java.nio.file.Path;

/// The source of a secret of a build, read when a `RUN` asks for it.
public sealed interface SecretSource {
    /// A file.
    /// @param shown its name in messages
    record File(Path path, String shown) implements SecretSource {}

    /// Bytes in memory.
    @SuppressWarnings("ArrayRecordComponent") // copied on the way in and out
    record Content(byte[] bytes) implements SecretSource {
        public Content {
            bytes = bytes.clone();
        }

        @Override
        public byte[] bytes() {
            return bytes.clone();
        }

        @Override
        public String toString() {
            return "Content";
        }
    }
}
