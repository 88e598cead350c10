package io.holdfast.storage.topic;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.PowerCut;
import io.holdfast.storage.files.PowerCuts;
import io.holdfast.storage.files.ShadowDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Power cuts of a {@link PowerCutBroker}, from one seed: between its steps and in the middle of
 * them the power fails, and each of the directories that can leave is recovered and compared with
 * what was promised, and used. The last one is gone on with: a chain of power cuts.
 */
final class PowerCutRun implements PowerCuts.Run {
  private static final int LIVES = 3;
  private static final int STEPS = 48;

  private final Path home;
  private final boolean synced;
  private final Random random;
  private final long seed;
  private final int imagesPerLife;
  private final PowerCutBroker broker;

  private int lives;
  private int images;
  private long slowestOpenMs;

  /** Whether a moment within an operation can be the one. */
  private boolean cutWithin;

  /** What the last power cut left, opened. */
  private PowerCutCheck last;

  PowerCutRun(Path home, boolean synced, long seed, int imagesPerLife) throws IOException {
    this.home = home;
    this.synced = synced;
    this.seed = seed;
    this.imagesPerLife = imagesPerLife;
    random = new Random(seed);
    Path root = Files.createDirectory(home.resolve("life0"));
    broker = new PowerCutBroker(root, new ShadowDisk(root, "boot" + lives), synced, random);
  }

  @Override
  public int images() {
    return images;
  }

  @Override
  public long slowestOpenMs() {
    return slowestOpenMs;
  }

  @Override
  public void run() throws Exception {
    broker.open();
    for (lives = 0; lives < LIVES; lives++) {
      broker.disk().onEvent(this::perhapsWithin);
      int cuts = images + imagesPerLife;
      for (int step = 0; step < STEPS || images < cuts; step++) {
        cutWithin = images < cuts && random.nextInt(STEPS / imagesPerLife) == 0;
        broker.step();
        if (cutWithin) {
          cutWithin = false;
          cut();
        }
      }
      cut();
      goOnAfterCut();
    }
  }

  private void perhapsWithin() {
    if (cutWithin && random.nextInt(3) == 0) {
      cutWithin = false;
      try {
        cut();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void cut() throws IOException {
    if (last != null) {
      useLast();
    }
    Path image = home.resolve("image" + images++);
    PowerCut.image(broker.disk(), broker.root(), image, random.nextLong());
    last = new PowerCutCheck(image, broker.topics(), synced, "boot" + images);
    last.run();
    slowestOpenMs = Math.max(slowestOpenMs, last.openMs());
  }

  /** The process that lost power is gone; the one that recovered goes on. */
  private void goOnAfterCut() throws IOException {
    broker.abandon();
    broker.takeOver(last);
    last = null;
  }

  private void useLast() throws IOException {
    PowerCutBroker user = new PowerCutBroker(broker, last, new Random(seed + images));
    try {
      user.use();
    } finally {
      user.abandon();
      user.closeDead();
      deleteTree(last.root());
    }
  }

  private static void deleteTree(Path dir) throws IOException {
    DurableFiles.deleteTree(Disk.LOCAL, dir);
    DurableFiles.deleteTree(Disk.LOCAL, dir.resolveSibling(dir.getFileName() + "-removed"));
  }

  @Override
  public void close() throws Exception {
    if (last != null) {
      last.close();
    }
    broker.disk().onEvent(() -> {});
    broker.disk().refuses(path -> false);
    broker.abandon();
    broker.closeDead();
    try (Stream<Path> left = Files.list(home)) {
      for (Path path : left.toList()) {
        DurableFiles.deleteTree(Disk.LOCAL, path);
      }
    }
  }

  @Override
  public String toString() {
    return (synced ? "synced" : "written")
        + " seed "
        + seed
        + " life "
        + lives
        + " image "
        + images;
  }
}
