package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.ImageReference;
import dev.caisson.image.Image;
import dev.caisson.image.ImageException;
import dev.caisson.image.ImageFacts;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Base images that lie here as files, by the names that container files call them. Each is read when it is first
/// asked for, and once.
public final class LocalImages implements BaseImages {
    private final Map<String, Image> images = new LinkedHashMap<>();
    private final Map<String, ImageConfig> read = new HashMap<>();

    /// @param images by reference, as `alpine:3.20`: `oci:PATH[:REF]`, `docker-archive:FILE[:REF]` or `dir:PATH`
    /// @throws AuditException OPTION_INVALID if a reference or an image's place is none
    public LocalImages(Map<String, String> images) {
        images.forEach((name, place) -> {
            ImageReference reference = ImageReference.parse(name)
                    .orElseThrow(() -> new AuditException(
                            AuditException.Code.OPTION_INVALID, name + " is no image's name, as alpine:3.20 is."));
            try {
                this.images.put(key(reference), Image.parse(place));
            } catch (ImageException e) {
                throw new AuditException(AuditException.Code.OPTION_INVALID, e.getMessage() + ".", e);
            }
        });
    }

    /// A tag that was left out means `latest`; a digest beside it does not choose another image here.
    private static String key(ImageReference reference) {
        return reference.registry() + "/" + reference.repository() + ":"
                + reference.tag().orElse("latest");
    }

    /// @throws AuditException INPUT_UNREADABLE if the image that was named for the reference cannot be read
    @Override
    public Optional<ImageConfig> find(ImageReference reference) {
        String key = key(reference);
        Image image = images.get(key);
        if (image == null) {
            return Optional.empty();
        }
        ImageConfig known = read.get(key);
        if (known == null) {
            known = config(image);
            read.put(key, known);
        }
        boolean other = reference.digest().isPresent()
                && known.digest().isPresent()
                && !reference.digest().equals(known.digest());
        return other ? Optional.empty() : Optional.of(known);
    }

    private static ImageConfig config(Image image) {
        try {
            ImageFacts facts = ImageFacts.read(image);
            return new ImageConfig(
                    facts.digest().map(Object::toString),
                    facts.config().user(),
                    facts.config().env(),
                    facts.config().exposedPorts(),
                    facts.config().volumes(),
                    health(facts.healthCheck()),
                    facts.users().entrySet().stream()
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey, user -> user.getValue().longValue())));
        } catch (ImageException e) {
            throw new AuditException(AuditException.Code.INPUT_UNREADABLE, e.getMessage() + ".", e);
        }
    }

    private static Optional<HealthCheck> health(List<String> test) {
        if (test.isEmpty()) {
            return Optional.empty();
        }
        List<String> words = test.subList(1, test.size());
        return Optional.of(
                switch (test.getFirst()) {
                    case "NONE" -> new HealthCheck.None();
                    case "CMD-SHELL" -> new HealthCheck.ShellForm(String.join(" ", words));
                    default -> new HealthCheck.ExecForm(words);
                });
    }
}
