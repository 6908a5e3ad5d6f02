package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.scan.IgnoreFile;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.RuleSet;
import dev.caisson.scan.ScanException;
import dev.caisson.scan.ScanSink;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Files that a scan is told about, and failures with the exit status of an audit.
final class ScanInputs {
    private static final int MOST_BYTES = 8 << 20;

    private ScanInputs() {}

    /// Reads a file of rules.
    static RuleSet rules(Path file) {
        try {
            return RuleSet.of(text(file));
        } catch (ScanException e) {
            throw new AuditException(AuditException.Code.OPTION_INVALID, file + ": " + e.sentence(), e);
        }
    }

    /// Scans a directory with what its `.gitleaksignore` tolerates.
    static void ignoring(LeakScanner scanner, Path path, String shown, ScanSink sink, Consumer<ScanSink> scan) {
        scan.accept(IgnoreFile.of(path)
                .map(file -> file.over(shown, scanner.rules(), sink))
                .orElse(sink));
    }

    private static String text(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new AuditException(AuditException.Code.OPTION_INVALID, file + " is larger than 8 MiB: split it");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            throw new AuditException(AuditException.Code.INPUT_MISSING, "there is no file " + file, e);
        } catch (IOException e) {
            throw new AuditException(
                    AuditException.Code.INPUT_UNREADABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    /// Returns a failure of the scanner as one of an audit, whose exit status callers know.
    static AuditException failed(ScanException failure) {
        boolean missing = failure.reason() == ScanException.Code.INPUT_MISSING;
        return new AuditException(
                missing ? AuditException.Code.INPUT_MISSING : AuditException.Code.INPUT_UNREADABLE,
                failure.sentence(),
                failure);
    }
}
