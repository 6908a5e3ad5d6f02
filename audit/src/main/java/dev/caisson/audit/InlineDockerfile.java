package dev.caisson.audit;

import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.Optional;

/// The `dockerfile_inline` of a compose service.
/// @param source its text
/// @param place where it stands in the compose file
record InlineDockerfile(Source source, Place place) {
    static Optional<InlineDockerfile> of(Workload workload) {
        return Composes.body(workload)
                .flatMap(body -> body.map("build"))
                .flatMap(build -> build.scalar("dockerfile_inline"))
                .map(InlineDockerfile::of);
    }

    private static InlineDockerfile of(YamlScalar scalar) {
        return new InlineDockerfile(
                Source.of(scalar.place().file() + " dockerfile_inline", scalar.value()), scalar.place());
    }

    /// The line of the compose file that holds a place of the text. In a literal block the text has the file's lines;
    /// other forms are told as a whole.
    Place inFile(Place inner) {
        Source file = place.source();
        int line = place.line() + inner.line();
        if (!place.text().startsWith("|") || line > place.endLine() || line > file.lineCount()) {
            return place;
        }
        int start = file.lineStart(line);
        int end = file.lineEnd(line);
        while (start < end && file.text().charAt(start) == ' ') {
            start++;
        }
        return file.place(start, end);
    }
}
