package io.holdfast.storage.raft;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.PowerCut;
import io.holdfast.storage.files.PowerCuts;
import io.holdfast.storage.files.ShadowDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Power cuts of a {@link RaftPowerCutGroup}, from one seed: between its steps and in the middle of
 * them the power fails, and each of the directories that can leave is recovered and compared with
 * what was promised, and used. The last one is gone on with: a chain of power cuts.
 */
final class RaftPowerCutRun implements PowerCuts.Run {
  private static final int LIVES = 3;
  private static final int STEPS = 48;

  private final Path home;
  private final RaftPowerCutGroup.Sizes sizes;
  private final Random random;
  private final long seed;
  private final int imagesPerLife;
  private final List<RaftPowerCutGroup> all = new ArrayList<>();

  private RaftPowerCutGroup group;
  private int lives;
  private int images;
  private long slowestOpenMs;

  /** Whether a moment within an operation can be the one. */
  private boolean cutWithin;

  /** What the last power cut left, opened. */
  private RaftPowerCutGroup last;

  RaftPowerCutRun(Path home, RaftPowerCutGroup.Sizes sizes, long seed, int imagesPerLife)
      throws IOException {
    this.home = home;
    this.sizes = sizes;
    this.seed = seed;
    this.imagesPerLife = imagesPerLife;
    random = new Random(seed);
    Path root = Files.createDirectory(home.resolve("life0"));
    group = new RaftPowerCutGroup(root, new ShadowDisk(root, ""), sizes, random);
    all.add(group);
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
    for (lives = 0; lives < LIVES; lives++) {
      group.disk().onEvent(this::perhapsWithin);
      int cuts = images + imagesPerLife;
      for (int step = 0; step < STEPS || images < cuts; step++) {
        cutWithin = images < cuts && random.nextInt(STEPS / imagesPerLife) == 0;
        group.step();
        if (cutWithin) {
          cutWithin = false;
          cut();
        }
      }
      cut();
      // The process that lost power is gone; the one that recovered goes on.
      group.disk().onEvent(() -> {});
      group.die();
      group = last;
      last = null;
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
      last.use();
      drop(last);
    }
    Path image = home.resolve("image" + images++);
    PowerCut.image(group.disk(), group.root(), image, random.nextLong());
    long startNs = System.nanoTime();
    last =
        new RaftPowerCutGroup(group, image, new ShadowDisk(image, ""), new Random(seed + images));
    slowestOpenMs = Math.max(slowestOpenMs, (System.nanoTime() - startNs) / 1_000_000);
    all.add(last);
  }

  private void drop(RaftPowerCutGroup used) throws IOException {
    used.die();
    used.bury();
    all.remove(used);
    Path root = used.root();
    DurableFiles.deleteTree(Disk.LOCAL, root);
    DurableFiles.deleteTree(Disk.LOCAL, root.resolveSibling(root.getFileName() + "-removed"));
  }

  @Override
  public void close() throws Exception {
    for (RaftPowerCutGroup each : all) {
      each.disk().onEvent(() -> {});
      each.disk().refuses(path -> false);
      each.die();
      each.bury();
    }
    try (Stream<Path> left = Files.list(home)) {
      for (Path path : left.toList()) {
        DurableFiles.deleteTree(Disk.LOCAL, path);
      }
    }
  }

  @Override
  public String toString() {
    return sizes + " seed " + seed + " life " + lives + " image " + images;
  }
}
