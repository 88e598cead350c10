package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose data directory it is, and what happens when it is taken away. */
class DataPathSystemTest {
  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd does not look after its data path");
  }

  private static void removeTree(Path tree) throws IOException {
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, IOException e) throws IOException {
            // The broker may put something in meanwhile.
            try (Stream<Path> left = Files.list(dir)) {
              if (left.findAny().isEmpty()) {
                Files.delete(dir);
              }
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "topics", "topics/t", "topics/t/journal"})
  void shouldTakeNothingWhenItsDataWasRemoved(String what) throws Exception {
    try (BrokerProcess broker = BrokerProcess.started()) {
      Http http = broker.http();
      http.post("/pub?topic=t", "1").expect(200, "OK");
      removeTree(broker.dataPath().resolve(what));
      Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .until(() -> http.get("/ping").status() == 500);
      String nok = http.get("/ping").body();
      assertTrue(nok.contains("removed"), nok);
      assertTrue(nok.contains(broker.dataPath().toString()), nok);
      for (String path : List.of("/pub?topic=t", "/pub?topic=new", "/mpub?topic=t")) {
        Http.Response refused = http.post(path, "2");
        assertEquals(503, refused.status());
        assertTrue(refused.body().contains("removed"), refused.body());
      }
      for (String command : List.of("PUB t", "PUB new", "DPUB t 100")) {
        try (RawNsqConnection conn = broker.connect()) {
          String error = conn.command(command, "2").frame().text();
          assertTrue(error.contains("removed"), error);
        }
      }
      assertFalse(Files.exists(broker.dataPath().resolve("topics/new")));
      if (what.startsWith("topics/")) {
        // The way out: the topic is gone, so let it be gone.
        http.post("/topic/delete?topic=t").expect(200, "");
        Awaitility.await()
            .atMost(Duration.ofSeconds(5))
            .until(() -> http.get("/ping").status() == 200);
        http.post("/pub?topic=t", "3").expect(200, "OK");
      } else if (what.isEmpty()) {
        Files.createDirectories(broker.dataPath());
        assertEquals(500, http.get("/ping").status());
      }
    }
  }

  @Test
  void shouldKeepASecondBrokerOutWithoutALockFile() throws Exception {
    try (BrokerProcess first = BrokerProcess.started();
        BrokerProcess second = BrokerProcess.of()) {
      Files.delete(first.dataPath().resolve("holdfast.lock"));
      second.launch(
          List.of(
              "--tcp-address=127.0.0.1:0",
              "--http-address=127.0.0.1:0",
              "--data-path=" + first.dataPath()));
      assertEquals(1, second.awaitExit(Duration.ofSeconds(30)));
      assertTrue(second.stderr().contains("in use by another broker"), second.stderr());
      first.http().get("/ping").expect(200, "OK");
      Path lock = first.dataPath().resolve("holdfast.lock");
      Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> Files.exists(lock));
    }
  }

  /** Its topics are not all there without the other nodes, and have no channels. */
  @Test
  void shouldNotTakeANodesDirectoryForALocalOne() throws Exception {
    try (BrokerProcess broker = BrokerProcess.of()) {
      Path data = broker.dataPath();
      List<String> flags =
          List.of("--tcp-address=127.0.0.1:0", "--http-address=127.0.0.1:0", "--data-path=" + data);
      new ClusterFile("1a2b-3c", true, 900, "c", 0, 0, 3, List.of(0, 1, 2)).write(Disk.LOCAL, data);
      assertEquals(1, broker.launch(flags).awaitExit(Duration.ofSeconds(30)));
      String belongs =
          "holdfast: data path " + data + " belongs to node c of cluster 1a2b-3c: its topics";
      assertTrue(
          broker.stderr().lines().anyMatch(line -> line.startsWith(belongs)), broker.stderr());
      assertFalse(broker.stderr().contains("Exception"), broker.stderr());
      try (Stream<Path> files = Files.list(data)) {
        assertEquals(List.of(data.resolve("cluster.json")), files.toList());
      }
      // Neither one that cannot be read, nor one that is gone, is the same as none.
      Files.writeString(data.resolve("cluster.json"), "{}");
      assertEquals(1, broker.launch(flags).awaitExit(Duration.ofSeconds(30)));
      assertTrue(broker.stderr().contains("cluster.json is damaged"), broker.stderr());
      Files.delete(data.resolve("cluster.json"));
      Files.createDirectories(data.resolve("groups/0/log"));
      assertEquals(1, broker.launch(flags).awaitExit(Duration.ofSeconds(30)));
      assertTrue(broker.stderr().contains("groups/0 of a cluster, but no"), broker.stderr());
    }
  }

  @Test
  void shouldKeepItsFilesToItselfWhateverTheMask() throws Exception {
    try (BrokerProcess broker = BrokerProcess.of("--max-bytes-per-file=1048576")) {
      Path socket = broker.home().resolve("nsqd.sock");
      broker.under("sh", "-c", "umask 011; exec \"$@\" --tcp-address=" + socket, "sh").start();
      broker.http().post("/topic/create?topic=t").expect(200, "");
      broker.http().post("/channel/create?topic=t&channel=c").expect(200, "");
      broker.http().post("/mpub?topic=t", "1\n2").expect(200, "OK");
      broker.http().post("/channel/empty?topic=t&channel=c").expect(200, "");
      assertEquals("rwxrw-rw-", mode(socket), "as nsqd's");
      broker.terminate();
      try (Stream<Path> files = Files.walk(broker.dataPath())) {
        List<Path> all = files.filter(path -> !path.equals(broker.dataPath())).toList();
        assertTrue(all.size() > 8, all::toString);
        for (Path path : all) {
          String expected = Files.isDirectory(path) ? "rwx------" : "rw-------";
          assertEquals(expected, mode(path), path.toString());
        }
      }
    }
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void shouldNotComeUpEmptyOnNsqdsData() throws Exception {
    try (BrokerProcess broker = BrokerProcess.of()) {
      Files.createFile(broker.dataPath().resolve("nsqd.dat"));
      Files.createFile(broker.dataPath().resolve("t.diskqueue.000000.dat"));
      broker.launch(
          List.of(
              "--tcp-address=127.0.0.1:0",
              "--http-address=127.0.0.1:0",
              "--data-path=" + broker.dataPath()));
      assertEquals(1, broker.awaitExit(Duration.ofSeconds(30)));
      List<String> errors = broker.stderr().lines().filter(l -> l.contains("import")).toList();
      assertEquals(1, errors.size(), broker.stderr());
      assertTrue(
          errors.get(0).contains("holdfast-tools import " + broker.dataPath()), errors.get(0));
    }
  }
}
