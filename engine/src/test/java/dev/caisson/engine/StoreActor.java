package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// A process that does to images what each line of its input names.
final class StoreActor {
    /// The classes that write to the disk of an image store.
    private static final Pattern STORE = Pattern.compile("dev\\.caisson\\.(engine\\.(Commit|Images|LayerCopy)|image\\."
            + "(BlobDownload|BlobWriter|ContentIndex|ContentStore|ImageLoad|ImagePull|ImageStore|LayerTrees|LayerUnpacker|NewImage|StoreDirectory))"
            + "(\\$.*)?");

    enum Act {
        LOAD,
        PULL,
        UNPACK,
        COMMIT,
        TAG,
        REMOVE,
        PRUNE
    }

    /// Starts it with calls at the lines of the store.
    static final class Observed {
        private Observed() {}

        public static void main(String[] arguments) throws Exception {
            LineLoader.start(StoreActor.class, STORE, arguments);
        }
    }

    private StoreActor() {}

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        Path archive = Path.of(arguments[2]);
        Failpoint.serve((act, name) -> {
            Failpoint.ofEveryThread(act.equals(Act.PULL.name())); // each layer is fetched by one of its own
            try (Images images = Images.open(options)) {
                act(Act.valueOf(act), images, name, archive);
            }
        });
    }

    /// @param name of an image; of a container for a commit
    static void act(Act act, Images images, String name, Path archive) throws Exception {
        switch (act) {
            case LOAD -> {
                try (var in = Files.newInputStream(archive)) {
                    images.load(in, "the archive");
                }
            }
            case PULL -> images.pull(ImageReference.parse(name), RegistryLogins.none(), PullListener.none());
            case UNPACK ->
                images.tree(new Image.Named(ImageReference.parse(name))).close();
            case COMMIT -> images.commit(name, ImageReference.parse("committed:1"), CommitOptions.STANDARD);
            case TAG -> images.tag(images.find(name), ImageReference.parse("other:1"));
            case REMOVE -> images.remove(images.find(name));
            case PRUNE -> images.prune(true);
        }
    }
}
