package dev.caisson.secret;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The index of a store, decrypted and checked once for each of its files. For use under the store's lock.
final class CheckedIndex implements AutoCloseable {
    private static final int MOST_FILE = StoreIndex.MOST_BYTES + SecretValue.MOST_BYTES + 64 * 1024;

    private final StoreDirectory root;
    private final Identity identity;
    private final byte[] key;
    private @Nullable Checked checked;

    /// The index that was read last, which is that of these files.
    @SuppressWarnings("ArrayRecordComponent") // of this class alone, which changes none
    private record Checked(byte[] file, byte[] recipients, StoreIndex index) {
        boolean isOf(byte[] otherFile, byte[] otherRecipients) {
            return Arrays.equals(file, otherFile) && Arrays.equals(recipients, otherRecipients);
        }
    }

    CheckedIndex(StoreDirectory root, Identity identity) {
        this.root = root;
        this.identity = identity;
        this.key = identity.derive("caisson index");
    }

    /// @throws SecretException SECRET_TAMPERED
    StoreIndex read() {
        String name = StoreFiles.INDEX;
        byte[] file = root.read(name, MOST_FILE).orElseThrow(() -> changed(name));
        byte[] recipients = StoreFiles.recipientsFile(root);
        Checked last = checked;
        if (last != null && last.isOf(file, recipients)) {
            return last.index();
        }
        try (SecretValue content = AgeFile.decrypt(file, identity)) {
            StoreIndex index = StoreIndex.read(content, key).orElseThrow(() -> changed(name));
            if (!StoreFiles.recipients(recipients).equals(index.recipients())) {
                throw changed(StoreFiles.RECIPIENTS);
            }
            checked = new Checked(file, recipients, index);
            return index;
        } catch (MalformedAgeException e) {
            throw changed(name);
        }
    }

    void write(StoreIndex index) {
        try (SecretValue content = index.write(key)) {
            root.write(StoreFiles.INDEX, AgeFile.encrypt(content, index.recipients()));
        }
    }

    /// Returns the error for a file of the store that is not as it should be.
    SecretException changed(String name) {
        return SecretException.tampered(
                root.shown() + "/" + name + " is not as the store wrote it: restore the whole store from one backup");
    }

    @Override
    public void close() {
        Arrays.fill(key, (byte) 0);
    }
}
