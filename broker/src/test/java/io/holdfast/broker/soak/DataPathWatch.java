package io.holdfast.broker.soak;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiPredicate;
import java.util.stream.Stream;

/** Looks at the files of the broker under test while it works, and after its death. */
final class DataPathWatch {
  private static final String FILE = ".cq4";
  private static final String NEXT_FILE = ".precreated";

  private final Path dataPath;

  DataPathWatch(Path dataPath) {
    this.dataPath = dataPath;
  }

  private Path topicDir(String topic) {
    Path plain = dataPath.resolve("topics").resolve(topic);
    // As DirNames escapes them: only capitals occur in the soak's names.
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < topic.length(); i++) {
      char c = topic.charAt(i);
      escaped.append(Character.isUpperCase(c) ? String.format("%%%02x", (int) c) : c);
    }
    return plain.resolveSibling(escaped.toString());
  }

  /** The topic's journal. */
  Path journal(String topic) {
    return topicDir(topic).resolve("journal");
  }

  /** The ledgers of the topic's channels. */
  Path ledgers(String topic) {
    return topicDir(topic).resolve("channels");
  }

  /** The ledger of a channel whose name needs no escaping. */
  Path ledger(String topic, String channel) {
    return ledgers(topic).resolve(channel);
  }

  /** Waits until a file is about to be begun in that directory; false when none is in time. */
  boolean awaitNextFile(Path dir, int atMostMs) {
    return await(dir, atMostMs, (before, now) -> has(now, NEXT_FILE) || hasNew(before, now));
  }

  /** Waits until a file is gone from that directory; false when none is in time. */
  boolean awaitRemoval(Path dir, int atMostMs) {
    return await(
        dir, atMostMs, (before, now) -> before.stream().anyMatch(f -> isFile(f, FILE, now)));
  }

  private static boolean isFile(String name, String suffix, Set<String> missingIn) {
    return name.endsWith(suffix) && !missingIn.contains(name);
  }

  private static boolean has(Set<String> names, String suffix) {
    return names.stream().anyMatch(n -> n.endsWith(suffix));
  }

  private static boolean hasNew(Set<String> before, Set<String> now) {
    return now.stream().anyMatch(f -> isFile(f, FILE, before));
  }

  private static boolean await(
      Path dir, int atMostMs, BiPredicate<Set<String>, Set<String>> happened) {
    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(atMostMs);
    Set<String> before = names(dir);
    while (System.nanoTime() < endNs) {
      Set<String> now = names(dir);
      if (happened.test(before, now)) {
        return true;
      }
      before = now;
      LockSupport.parkNanos(200_000);
    }
    return false;
  }

  private static Set<String> names(Path dir) {
    String[] names = new File(dir.toString()).list();
    return names == null ? Set.of() : new HashSet<>(List.of(names));
  }

  /** What a dead broker left half done, for the kinds that files show. */
  Set<String> traces() {
    Set<String> traces = new HashSet<>();
    try (Stream<Path> files = Files.walk(dataPath)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(NEXT_FILE)) {
          traces.add("a file about to be begun");
        } else if (name.startsWith(".deleted-")) {
          traces.add("a deletion half done");
        } else if (name.startsWith("meta.json.")) {
          traces.add("meta.json half written");
        } else if (name.equals("meta.log")) {
          traces.add("changes that are not in meta.json");
        } else if (name.endsWith(FILE) && isHeaderless(file)) {
          traces.add("a file without header");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return traces;
  }

  private static boolean isHeaderless(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      byte[] header = in.readNBytes(4);
      return header.length < 4
          || (header[0] == 0 && header[1] == 0 && header[2] == 0 && (header[3] & 0x7f) == 0);
    }
  }

  /** Bytes on disk below a directory, as du tells; 0 when it is not there. */
  static long diskBytes(Path dir) {
    if (!Files.isDirectory(dir)) {
      return 0;
    }
    try {
      Process du =
          new ProcessBuilder("du", "-s", "-B1", dir.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD) // files that go meanwhile
              .start();
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(du.getInputStream(), StandardCharsets.ISO_8859_1))) {
        String line = out.readLine();
        return line == null ? 0 : Long.parseLong(line.substring(0, line.indexOf('\t')));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Number of journal or ledger files directly in a directory. */
  static int files(Path dir) {
    return (int) names(dir).stream().filter(n -> n.endsWith(FILE)).count();
  }

  /** Size of the data path in words. */
  String diskUse() {
    try (Stream<Path> files = Files.walk(dataPath)) {
      long count = files.filter(f -> f.toString().endsWith(FILE)).count();
      return (diskBytes(dataPath) >> 20) + " MiB in " + count + " cq4 files";
    } catch (UncheckedIOException | NoSuchFileException e) {
      return (diskBytes(dataPath) >> 20) + " MiB, files going";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
