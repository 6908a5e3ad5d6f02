package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.secret.Stores;
import dev.caisson.scan.KnownValues;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.StoredValues;
import dev.caisson.secret.ValueForm;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The values of the caller's store of secrets, while a scan looks for them.
final class ScanStore implements AutoCloseable {
    /// The cases in which the store is opened.
    enum Use {
        /// Opens it if it is there and asks nobody.
        AUTO,
        YES,
        NO
    }

    private final @Nullable StoredValues values;

    private ScanStore(@Nullable StoredValues values) {
        this.values = values;
    }

    /// Opens the store.
    /// @throws AuditException if it must be opened and cannot
    static ScanStore open(Use use) {
        if (use == Use.NO || (use == Use.AUTO && !Files.isDirectory(Stores.directory()))) {
            return new ScanStore(null);
        }
        try (SecretStore store =
                use == Use.YES ? Stores.open() : SecretStore.open(Stores.directory(), Optional::empty)) {
            StoredValues values = store.values("scan", Stores.user());
            if (!values.tooShort().isEmpty()) {
                note("too short to be looked for: " + String.join(", ", values.tooShort()));
            }
            return new ScanStore(values);
        } catch (SecretException e) {
            if (use == Use.YES) {
                throw new AuditException(AuditException.Code.OPTION_INVALID, e.sentence(), e);
            }
            note("not compared with the store of secrets: " + e.sentence() + " (--stored no leaves it out)");
            return new ScanStore(null);
        }
    }

    private static void note(String text) {
        PrintWriter err = Caller.current().errors().writer();
        err.println("caisson: scan: " + text);
        err.flush();
    }

    /// Returns what a scanner looks for.
    KnownValues known() {
        StoredValues all = values;
        return all == null
                ? KnownValues.NONE
                : (bytes, from, to, hit) -> all.matcher()
                        .search(
                                bytes,
                                from,
                                to,
                                (value, form, start, end) ->
                                        hit.at(all.name(value), form.words(), form == ValueForm.PLAIN, start, end));
    }

    @Override
    public void close() {
        StoredValues all = values;
        if (all != null) {
            all.close();
        }
    }
}
