package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OutputFile;
import dev.caisson.engine.Images;
import dev.caisson.image.ArchiveForm;
import dev.caisson.image.StoredImage;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson save`: writes images as one archive.
@Command(
        name = "save",
        sortOptions = false,
        description = "Write images as one archive, for 'caisson load', docker load, podman load and skopeo.",
        footer = {
            "%nA name without a tag stands for all tags of its repository. An image that is given by its id has no name",
            "in the archive. The same images make the same bytes.",
            "%n  caisson save -o debian.tar debian:13",
            "  caisson save debian:13 web:1 | ssh other caisson load"
        })
public final class SaveCommand implements Callable<Integer> {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            defaultValue = "-",
            description = "File to write (default: standard output).")
    private String output = "-";

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "docker",
            description = "docker (default), which is an OCI layout too, or oci.")
    private String format = "docker";

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "Names, or the beginnings of ids.")
    private List<String> names = List.of();

    @Override
    public Integer call() throws InterruptedException {
        ArchiveForm form = switch (format) {
            case "docker", "docker-archive" -> ArchiveForm.DOCKER;
            case "oci", "oci-archive" -> ArchiveForm.OCI;
            default -> throw CommandException.refused("--format " + format, "give docker or oci");
        };
        try (Images images = Images.open(Caller.current().directories())) {
            List<StoredImage> wanted = names.stream()
                    .flatMap(name -> find(images, name).stream())
                    .distinct()
                    .toList();
            OutputFile.write(output, out -> images.save(wanted, form, out));
        }
        return 0;
    }

    private static List<StoredImage> find(Images images, String name) {
        GivenName given = GivenName.parse(name);
        List<StoredImage> all = given.isRepository() ? given.tagged(images) : List.of();
        if (!all.isEmpty()) {
            return all;
        }
        StoredImage image = images.find(name);
        return List.of(images.isCalled(image, name) ? image : image.withoutTag());
    }
}
