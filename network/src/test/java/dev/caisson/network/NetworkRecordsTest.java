package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
class NetworkRecordsTest {
    private static final int DIRECTORIES = 20;
    private static final int AT_ONCE = 4;

    @TempDir
    private Path home;

    @Test
    void those_who_open_a_new_directory_at_once_give_it_one_identity() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
            for (int i = 0; i < DIRECTORIES; i++) {
                Path directory = home.resolve("networks" + i);
                CyclicBarrier all = new CyclicBarrier(AT_ONCE);
                List<Future<String>> asked = new ArrayList<>();
                for (int j = 0; j < AT_ONCE; j++) {
                    asked.add(threads.submit(() -> {
                        try (NetworkRecords records = NetworkRecords.open(directory)) {
                            all.await();
                            return records.identity();
                        }
                    }));
                }

                Set<String> told = new HashSet<>();
                for (Future<String> one : asked) {
                    told.add(one.get());
                }

                assertThat(told).hasSize(1);
            }
        }
    }
}
