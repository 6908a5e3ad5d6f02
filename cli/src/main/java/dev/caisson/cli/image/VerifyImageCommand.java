package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageCheck;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson image verify`: compares images of the store with their digests.
@Command(
        name = "verify",
        sortOptions = false,
        description = "Compare images of the store with their digests (default: all).",
        footer = {
            "%nManifest, configuration and layers are read again. An unpacked layer is compared with what its archive",
            "unpacks to beside it, file by file: names, types, permissions, owners, sizes, times of files, attributes,",
            "content. That takes the time of unpacking, and room for the largest layer once more. A layer that is not",
            "unpacked, or lies above one that differs, is not compared, and counted as that. Status 1 if something",
            "differs: then remove the images that have it with 'caisson rmi', and fetch them again.",
            "%n  caisson image verify debian:13"
        })
public final class VerifyImageCommand implements Callable<Integer> {
    private static final int DIFFERS = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "0..*", paramLabel = "IMAGE", description = "Names, or the beginnings of ids.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        int status = 0;
        PrintWriter err = spec.commandLine().getErr();
        try (Images images = Images.open(Caller.current().directories())) {
            var wanted = new ArrayList<StoredImage>();
            if (names.isEmpty()) {
                wanted.addAll(images.list());
            }
            status = EachName.act(names, err, name -> wanted.add(images.find(name)));
            Set<Digest> seen = new HashSet<>();
            for (StoredImage image : wanted) {
                if (seen.add(image.manifest()) && !isSound(images, image)) {
                    status = DIFFERS;
                }
            }
        }
        return status;
    }

    private boolean isSound(Images images, StoredImage image) {
        ImageCheck check = images.check(image);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        for (ImageCheck.Fault fault : check.faults()) {
            err.println("caisson: " + fault.code() + ": " + OneLine.of(image.name() + ": " + fault.sentence()));
        }
        String result = check.isSound() ? "ok" : "DIFFERS";
        out.println(image.name() + ": " + result + " (blobs read: " + check.blobs() + ", unpacked layers compared: "
                + check.trees() + ", layers not compared: " + check.notCompared() + ")");
        out.flush();
        return check.isSound();
    }
}
