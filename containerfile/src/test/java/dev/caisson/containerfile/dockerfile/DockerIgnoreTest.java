package dev.caisson.containerfile.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.Source;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DockerIgnoreTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            .git            | .git        | true
            .git            | .git/config | true
            /.git/          | .git        | true
            **/.env         | a/b/.env    | true
            **/.env         | .env        | true
            *.env           | a/b.env     | false
            *               | .git        | true
            '*;!src'        | src/x       | false
            '*;!.git'       | .git        | false
            '# .git'        | .git        | false
            .git*           | .gitignore  | true
            .[a-g]it        | .git        | true
            """)
    void the_last_matching_pattern_decides(String patterns, String path, boolean excluded) {
        DockerIgnore ignore = DockerIgnore.parse(Source.of(".dockerignore", patterns.replace(";", "\n")));

        assertThat(ignore.excludes(path)).isEqualTo(excluded);
    }
}
