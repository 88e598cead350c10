package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that is alone does not pay for the engine of a cluster: none of it is loaded. */
class EngineClassesSystemTest {
  private static final List<String> ENGINE =
      List.of(
          " com.alipay.",
          " com.google.protobuf.",
          " com.lmax.",
          " com.codahale.",
          " io.holdfast.broker.cluster.engine.");

  @TempDir Path dir;

  @Test
  void noneIsLoaded() throws Exception {
    Path classes = dir.resolve("classes");
    try (BrokerProcess broker =
        BrokerProcess.of().withJvm("-Xlog:class+load:file=" + classes).start()) {
      broker.http().post("/pub?topic=t", "x");
      broker.terminate();
    }
    List<String> loaded;
    try (Stream<String> lines = Files.lines(classes)) {
      loaded = lines.collect(Collectors.toList());
    }
    assertTrue(
        loaded.stream().anyMatch(line -> line.contains(" io.holdfast.broker.queue.Topic ")),
        "the list is of a broker");
    assertEquals(
        List.of(),
        loaded.stream()
            .filter(line -> ENGINE.stream().anyMatch(line::contains))
            .collect(Collectors.toList()));
  }
}
