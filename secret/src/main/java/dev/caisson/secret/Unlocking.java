package dev.caisson.secret;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.SecretException.Code;
import java.nio.file.Path;
import java.util.List;

/// The wrapping of a store's identity: encrypted for the unlocker when a store is made, and decrypted
/// when it is opened.
final class Unlocking {
    private static final int KEY_MODE = 0400;
    private static final int MOST_KEY = 16 * 1024;

    private Unlocking() {}

    /// Returns the identity, encrypted. A key file that is not there is made.
    static byte[] wrap(Identity identity, Unlocker unlocker, Unlocker.Prompt prompt) {
        try (SecretValue line = identity.line()) {
            return switch (unlocker) {
                case Unlocker.KeyFile file -> {
                    try (Identity key = makeOrReadKey(file.path())) {
                        yield AgeFile.encrypt(line, List.of(key.recipient()));
                    }
                }
                case Unlocker.Passphrase phrase -> {
                    try (SecretValue passphrase = ask(prompt)) {
                        yield AgeFile.encryptBy(line, List.of(new PassphraseKey(passphrase)));
                    }
                }
                case Unlocker.Command program -> {
                    try (Identity key = run(program)) {
                        yield AgeFile.encrypt(line, List.of(key.recipient()));
                    }
                }
            };
        }
    }

    static Identity unwrap(byte[] wrapped, Unlocker unlocker, Unlocker.Prompt prompt) {
        return switch (unlocker) {
            case Unlocker.KeyFile file -> {
                try (Identity key = readKey(file.path())) {
                    yield unwrap(
                            wrapped,
                            key,
                            "the key " + file.path() + " does not open the store: use the key it was made with");
                }
            }
            case Unlocker.Passphrase phrase -> {
                try (SecretValue passphrase = ask(prompt)) {
                    yield unwrap(wrapped, new PassphraseKey(passphrase), "the passphrase is wrong: try again");
                }
            }
            case Unlocker.Command program -> {
                try (Identity key = run(program)) {
                    yield unwrap(
                            wrapped,
                            key,
                            "the key that " + program.command().getFirst()
                                    + " printed does not open the store: use the key it was made with");
                }
            }
        };
    }

    private static Identity unwrap(byte[] wrapped, AgeFile.Identity key, String wrong) {
        try (SecretValue line = AgeFile.decrypt(wrapped, key)) {
            return Identity.parse(line).orElseThrow(MalformedAgeException::new);
        } catch (MalformedAgeException e) {
            throw new SecretException(Code.SECRET_LOCKED, wrong);
        }
    }

    private static SecretValue ask(Unlocker.Prompt prompt) {
        return prompt.ask()
                .orElseThrow(() -> new SecretException(
                        Code.SECRET_LOCKED,
                        "the store is locked by a passphrase, and there is no terminal to ask for it at: run 'caisson secret unlock' or"
                                + " the command at one, or name a file with CAISSON_SECRET_PASSPHRASE_FILE"));
    }

    private static Identity makeOrReadKey(Path path) {
        try {
            return readKey(path);
        } catch (SecretException e) {
            if (!(e.getCause() instanceof ErrnoException cause) || !cause.is(Errno.ENOENT)) {
                throw e;
            }
        }
        try (Fd directory = FileSystem.open(parent(path).toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                Fd file = FileSystem.openAt(
                        directory,
                        fileName(path),
                        FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL,
                        KEY_MODE,
                        FileSystem.RESOLVE_BENEATH)) {
            Identity key = Identity.generate();
            try (SecretValue line = key.line()) {
                line.writeTo(file);
            }
            FileSystem.synchronize(file);
            FileSystem.synchronize(directory);
            return key;
        } catch (ErrnoException e) {
            throw new SecretException(
                    Code.SECRET_STORAGE,
                    "the key file " + path + " could not be written (" + Errno.name(e.errno())
                            + "): make its directory, or name another file",
                    e);
        }
    }

    /// Returns the directory of an absolute path.
    static Path parent(Path path) {
        Path parent = path.getParent();
        return parent == null ? path : parent;
    }

    static String fileName(Path path) {
        Path name = path.getFileName();
        return name == null ? "." : name.toString();
    }

    private static Identity readKey(Path path) {
        try (SecretValue content = PrivateFile.read(path, MOST_KEY, Code.SECRET_LOCKED, "key file")) {
            return Identity.parse(content)
                    .orElseThrow(() -> new SecretException(
                            Code.SECRET_LOCKED,
                            "the key file " + path + " has no line AGE-SECRET-KEY-1…: restore it from a backup"));
        }
    }

    private static Identity run(Unlocker.Command program) {
        return new UnlockCommand(program.command(), ProgramOutput.PATIENCE).run();
    }
}
