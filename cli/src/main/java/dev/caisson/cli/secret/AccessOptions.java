package dev.caisson.cli.secret;

import dev.caisson.cli.text.OptionText;
import dev.caisson.secret.SecretAccess;
import java.util.LinkedHashMap;
import java.util.List;
import picocli.CommandLine.Option;

/// Options that say which containers may be given a secret.
final class AccessOptions {
    @Option(
            names = "--for-image",
            paramLabel = "IMAGE",
            description =
                    "Image that may have it, as debian:13 or sha256:…, which alone names one content for ever; several times.")
    private List<String> images = List.of();

    @Option(
            names = "--for-name",
            paramLabel = "NAME",
            description = "Container name that may have it; web-* for all that begin so; several times.")
    private List<String> names = List.of();

    @Option(
            names = "--for-label",
            paramLabel = "KEY=VALUE",
            description = "Label that a container must have; several times.")
    private List<String> labels = List.of();

    /// Returns who may have it: of each kind that was given one has to fit; of labels, all.
    SecretAccess access() {
        var all = new LinkedHashMap<String, String>();
        labels.forEach(text -> {
            String[] pair = OptionText.pair("--for-label", text);
            all.put(pair[0], pair[1]);
        });
        return new SecretAccess(images, names, all);
    }
}
