package dev.caisson.secret;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import dev.caisson.secret.SecretException.Code;
import io.avaje.json.mapper.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// The files at the top of a store: its format, its recipients, its wrapped identity and how that is unwrapped.
final class StoreFiles {
    static final String FORMAT = "format";
    static final String RECIPIENTS = "recipients";
    static final String IDENTITY = "identity.age";
    static final String UNLOCKER = "unlocker";
    static final String INDEX = "index.age";
    static final String SECRETS = "s";

    static final byte[] FORMAT_TEXT = "caisson secrets 1\n".getBytes(StandardCharsets.US_ASCII);
    private static final int MOST = 64 * 1024;
    static final int MOST_RECIPIENTS = 16;
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final int PRIVATE = 0700;
    private static final int RANDOM = 8;

    private StoreFiles() {}

    /// Opens the directory of a store.
    static StoreDirectory find(Path directory, StoreDirectory.Steps steps) {
        Fd opened;
        try {
            opened = FileSystem.open(directory.toString(), READ);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
                throw missing(directory);
            }
            throw e;
        }
        var root = new StoreDirectory(opened, directory.toString(), steps);
        try {
            byte[] format = root.read(FORMAT, MOST).orElseThrow(() -> missing(directory));
            if (!Arrays.equals(format, FORMAT_TEXT)) {
                throw SecretException.invalid(
                        directory + " has a format that a later version of Caisson wrote:" + " use that version");
            }
            return root;
        } catch (RuntimeException e) {
            root.close();
            throw e;
        }
    }

    private static SecretException missing(Path directory) {
        return new SecretException(
                Code.SECRET_STORE_MISSING,
                "there is no store of secrets in " + directory + ": 'caisson secret init' makes one");
    }

    /// Requires that a store is the one of its name: one that got another identity is another directory.
    /// @throws SecretException SECRET_BUSY
    static void requireNamed(StoreDirectory root) {
        FileStatus own = FileSystem.status(root.descriptor());
        try (Fd named = FileSystem.open(root.shown(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileStatus there = FileSystem.status(named);
            if (there.inode() == own.inode() && there.fileSystem() == own.fileSystem()) {
                return;
            }
        }
        throw new SecretException(
                Code.SECRET_BUSY, "the store " + root.shown() + " was given another key meanwhile: try again");
    }

    static Identity unlock(StoreDirectory root, Unlocker.Prompt prompt) {
        byte[] wrapped = root.read(IDENTITY, MOST).orElseThrow(() -> incomplete(root, IDENTITY));
        return Unlocking.unwrap(wrapped, unlocker(root), prompt);
    }

    static Unlocker unlocker(StoreDirectory root) {
        return Unlocker.parse(root.read(UNLOCKER, MOST).orElseThrow(() -> incomplete(root, UNLOCKER)));
    }

    static byte[] recipientsFile(StoreDirectory root) {
        return root.read(RECIPIENTS, MOST).orElseThrow(() -> incomplete(root, RECIPIENTS));
    }

    static List<Recipient> recipients(StoreDirectory root) {
        return recipients(recipientsFile(root));
    }

    static List<Recipient> recipients(byte[] text) {
        return new String(text, StandardCharsets.US_ASCII)
                .lines()
                .map(Recipient::new)
                .toList();
    }

    private static SecretException incomplete(StoreDirectory root, String name) {
        return SecretException.tampered(
                root.shown() + "/" + name + " is missing: restore the whole store from one backup");
    }

    /// Makes a store beside its place and renames it there, so that it is there as a whole or not at all.
    static void make(Path directory, NewStore wanted, Unlocker.Prompt prompt, String user) {
        String name = Unlocking.fileName(directory);
        String temporary = "." + name + "-" + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM));
        try (Fd parent = FileSystem.open(Unlocking.parent(directory).toString(), READ)) {
            requireNone(parent, directory);
            requireApart(parent, wanted.unlocker(), wanted.sameDisk());
            Identity identity = Identity.generate();
            try (identity) {
                byte[] wrapped = Unlocking.wrap(identity, wanted.unlocker(), prompt);
                FileSystem.makeDirectory(parent, temporary, PRIVATE);
                Fd made = FileSystem.openAt(parent, temporary, READ, 0, FileSystem.RESOLVE_BENEATH);
                try (var root = new StoreDirectory(made, directory.toString(), step -> {})) {
                    fill(root, identity, wrapped, wanted, user);
                }
                FileSystem.rename(parent, temporary, parent, name, false);
                FileSystem.synchronize(parent);
            } catch (RuntimeException e) {
                FileSystem.removeTree(parent, temporary);
                throw e;
            }
        } catch (ErrnoException e) {
            throw failed(directory.toString(), e);
        }
    }

    /// Whoever copies one file system shall not have the key and what it opens.
    static void requireApart(Fd parent, Unlocker unlocker, boolean sameDisk) {
        if (sameDisk || !(unlocker instanceof Unlocker.KeyFile file)) {
            return;
        }
        try (Fd directory = FileSystem.open(Unlocking.parent(file.path()).toString(), READ)) {
            if (FileSystem.status(directory).fileSystem()
                    == FileSystem.status(parent).fileSystem()) {
                throw SecretException.invalid(
                        "the key file " + file.path()
                                + " is on the file system of the store, so whoever copies that has both:"
                                + " use --key-file on another one, --passphrase, --unlock-command, or accept it with --same-disk");
            }
        } catch (ErrnoException e) {
            throw SecretException.invalid("the directory of the key file " + file.path() + " could not be opened ("
                    + Errno.name(e.errno()) + "): make it first");
        }
    }

    private static void requireNone(Fd parent, Path directory) {
        if (FileSystem.findStatus(parent, Unlocking.fileName(directory)).isPresent()) {
            throw new SecretException(
                    Code.SECRET_STORE_EXISTS, directory + " exists: use the store that is there, or move it away");
        }
    }

    private static void fill(StoreDirectory root, Identity identity, byte[] wrapped, NewStore wanted, String user) {
        List<Recipient> recipients = recipients(identity, wanted.recovery());
        writeKeys(root, recipients, wanted.unlocker(), wrapped);
        var index = StoreIndex.empty(recipients);
        writeIndex(root, index, identity);
        try (var log = new AccessLog(root, identity.derive("caisson access log"))) {
            log.append(AccessLog.End.NONE, "init", "", user, index.generation());
        }
        root.write(FORMAT, FORMAT_TEXT);
    }

    /// Returns for whom the files of a store are encrypted: its identity first.
    static List<Recipient> recipients(Identity identity, List<Recipient> recovery) {
        var recipients = new ArrayList<Recipient>();
        recipients.add(identity.recipient());
        recovery.stream().distinct().forEach(recipients::add);
        if (recipients.size() > MOST_RECIPIENTS) {
            throw SecretException.invalid(
                    "there are " + recovery.size() + " recovery recipients: give at most " + (MOST_RECIPIENTS - 1));
        }
        return List.copyOf(recipients);
    }

    /// Writes who can decrypt, and how the identity is unlocked.
    static void writeKeys(StoreDirectory root, List<Recipient> recipients, Unlocker unlocker, byte[] wrapped) {
        String lines = recipients.stream().map(Recipient::text).collect(Collectors.joining("\n", "", "\n"));
        root.write(RECIPIENTS, lines.getBytes(StandardCharsets.US_ASCII));
        root.write(
                UNLOCKER, JsonMapper.builder().build().toJson(unlocker.fields()).getBytes(StandardCharsets.UTF_8));
        root.write(IDENTITY, wrapped);
    }

    static void writeIndex(StoreDirectory root, StoreIndex index, Identity identity) {
        byte[] key = identity.derive("caisson index");
        try (SecretValue content = index.write(key)) {
            root.write(INDEX, AgeFile.encrypt(content, index.recipients()));
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    static String digest(byte[] file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file));
        } catch (NoSuchAlgorithmException e) {
            throw Kdf.missing("SHA-256", e);
        }
    }

    static String fileName(int version) {
        return version + ".age";
    }

    static <T> T guarded(Path directory, Supplier<T> action) {
        try {
            return action.get();
        } catch (ErrnoException e) {
            throw failed(directory.toString(), e);
        }
    }

    static SecretException failed(String directory, ErrnoException e) {
        if (e.is(Errno.ELOOP) || e.is(Errno.EISDIR) || e.is(Errno.ENOTDIR)) {
            return SecretException.tampered(
                    "a file of " + directory + " is a link or a directory (" + Errno.name(e.errno())
                            + "), which the store never makes: restore the whole store from one backup");
        }
        return new SecretException(
                Code.SECRET_STORAGE,
                "a file of " + directory + " could not be read or written (" + Errno.name(e.errno())
                        + "): check who owns it and that there is room",
                e);
    }
}
