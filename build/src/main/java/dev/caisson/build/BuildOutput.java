package dev.caisson.build;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Origin;
import dev.caisson.build.Operation.Unpacking;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageTree;
import dev.caisson.image.TarWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The files of an image that was built, handed out: as a tar archive, or into a directory of the host.
public final class BuildOutput implements AutoCloseable {
    private static final String NAME = "the image";

    /// The file that BuildKit hands provenance out in.
    private static final String PROVENANCE = "provenance.json";

    private static final int FILE_MODE = 0644;

    private final ImageTree image;
    private final Optional<String> statement;
    private final FileTree files;

    private BuildOutput(ImageTree image, Optional<String> statement) {
        this.image = image;
        this.statement = statement;
        this.files = new FileTree(image.root(), NAME, _ -> false, false);
    }

    /// Opens the files of an image, and the statement of its build if there is one, as `/provenance.json`.
    /// @throws BuildException BUILD_OUTPUT if the image has a file of that name besides a statement
    public static BuildOutput of(BuildResult result, Images images) {
        Optional<String> statement = images.statements(result.image()).stream()
                .map(content -> new String(content, StandardCharsets.UTF_8))
                .findFirst();
        ImageTree image = images.tree(LayerStore.image(result.image()));
        try {
            var output = new BuildOutput(image, statement);
            output.requireFree();
            return output;
        } catch (RuntimeException e) {
            image.close();
            throw e;
        }
    }

    private void requireFree() {
        if (statement.isPresent() && files.status(PROVENANCE).isPresent()) {
            throw new BuildException(
                    Staging.OUTPUT,
                    "the image has a file /" + PROVENANCE + ", where the statement of the build would go:"
                            + " leave out --provenance, or give the file another name");
        }
    }

    private static Copy everything(Place place) {
        return new Copy(
                new Origin.Context(),
                List.of(new Operation.Source.Pattern("/", place)),
                "/",
                "",
                Optional.empty(),
                List.of(),
                false,
                Unpacking.NONE,
                Optional.empty(),
                false);
    }

    private static Place place() {
        return Source.of(NAME, "").place(0, 0);
    }

    /// Writes an archive of all files, with their owners, modes, times, hard links and attributes.
    /// @param to stays the caller's to close
    /// @throws BuildException BUILD_COPY_KIND if the image has a pipe or a device
    /// @throws IOException of the stream
    public void archive(OutputStream to, Optional<Instant> latest) throws IOException {
        Copy copy = everything(place());
        var all = new LayerBuilder(files, place());
        new CopyTarget(all, copy, Optional.empty(), place(), Instant.EPOCH).place(files, Selection.of(files, copy));
        statement.ifPresent(text -> {
            var attributes = new TarWriter.Attributes(FILE_MODE, 0, 0, Instant.now());
            all.put(PROVENANCE, new LayerBuilder.Entry.Text(text, attributes), LayerBuilder.Owner.ROOT, Instant.EPOCH);
        });
        all.write(to, latest);
    }

    /// Copies all files into a directory, which is made if it is not there; what it has stays, but for what
    /// is replaced. They belong to the caller, and no bit of them makes a program run as its owner.
    /// @throws BuildException BUILD_OUTPUT if something is in the way, BUILD_COPY_KIND as in [#archive]
    public void copyTo(Path directory) {
        Staging.merge(files, Selection.of(files, everything(place())).tops().getFirst(), directory);
        statement.ifPresent(text -> Staging.write(directory, PROVENANCE, text));
    }

    @Override
    public void close() {
        image.close();
    }
}
