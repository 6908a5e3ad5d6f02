package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.audit.ImageLeaks;
import dev.caisson.audit.LeakAudit;
import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.image.StoredImage;
import dev.caisson.scan.GitScan;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.TreeScan;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// A word of the command line that says what is scanned.
sealed interface ScanTarget {
    String GIT = "git:";
    String IMAGE = "image:";
    String CONTAINER = "container:";

    /// Returns the target that a word names: a path that exists is one, whatever image has its name.
    static ScanTarget of(String word) {
        if (word.equals("-")) {
            return new Input();
        }
        if (word.startsWith(GIT)) {
            return new History(word, Caller.current().path(word.substring(GIT.length())));
        }
        if (word.startsWith(CONTAINER)) {
            return new Container(word, word.substring(CONTAINER.length()));
        }
        if (word.startsWith(IMAGE)) {
            return new Stored(word, word.substring(IMAGE.length()), false);
        }
        Path path = Caller.current().path(word);
        boolean looksLikePath = word.startsWith("/") || word.startsWith(".") || word.endsWith("/");
        return looksLikePath || Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                ? new Tree(word, path)
                : new Stored(word, word, true);
    }

    /// Returns the name by which reports call it.
    String shown();

    void scan(LeakScanner scanner, LeakAudit audit) throws InterruptedException;

    /// Standard input.
    record Input() implements ScanTarget {
        @Override
        public String shown() {
            return "stdin";
        }

        @Override
        public void scan(LeakScanner scanner, LeakAudit audit) {
            scanner.scan(shown(), Caller.current().input(), audit);
        }
    }

    /// A file or a directory.
    record Tree(String shown, Path path) implements ScanTarget {
        @Override
        public void scan(LeakScanner scanner, LeakAudit audit) {
            ScanInputs.ignoring(scanner, path, shown, audit, sink -> TreeScan.scan(scanner, path, shown, sink));
        }
    }

    /// The history of a repository.
    record History(String shown, Path path) implements ScanTarget {
        @Override
        public void scan(LeakScanner scanner, LeakAudit audit) {
            ScanInputs.ignoring(scanner, path, shown, audit, sink -> GitScan.scan(scanner, path, shown, sink));
        }
    }

    /// An image of the store.
    /// @param orFile if a file could have been meant
    record Stored(String shown, String name, boolean orFile) implements ScanTarget {
        @Override
        public void scan(LeakScanner scanner, LeakAudit audit) {
            try (Images images = Images.open(Caller.current().directories())) {
                StoredImage image = find(images);
                ImageLeaks.scan(scanner, shown, images.config(image), use -> images.readLayers(image, use), audit);
            }
        }

        private StoredImage find(Images images) {
            try {
                return images.find(name);
            } catch (CaissonException e) {
                throw orFile
                        ? new AuditException(
                                AuditException.Code.INPUT_MISSING,
                                "there is no file " + name + ", and " + e.sentence(),
                                e)
                        : e;
            }
        }
    }

    /// A container of this machine.
    record Container(String shown, String name) implements ScanTarget {
        @Override
        public void scan(LeakScanner scanner, LeakAudit audit) throws InterruptedException {
            ScanContainer.scan(scanner, name, shown, Caller.current().directories(), audit);
        }
    }
}
