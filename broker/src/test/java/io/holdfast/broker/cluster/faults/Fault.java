package io.holdfast.broker.cluster.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Something that is done to three brokers, and undone again. */
enum Fault {
  KILL_LEADER(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      killed(scene, List.of(scene.leader()), scene.random().nextInt(4000));
    }
  },
  KILL_FOLLOWER(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      killed(scene, List.of(scene.follower()), scene.random().nextInt(4000));
    }
  },
  KILL_TWO(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      FaultNode leader = scene.leader();
      killed(scene, List.of(leader, scene.other(leader)), scene.random().nextInt(8000));
    }
  },
  KILL_ALL(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      killed(scene, scene.nodes(), 0);
    }
  },
  /** Killed again while it comes up and catches up. */
  KILL_AGAIN(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      for (int i = 0; i < 3; i++) {
        killed(scene, List.of(node), scene.random().nextInt(500));
        scene.pause(2000 + scene.random().nextInt(4000));
      }
    }
  },
  TERMINATE(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      node.terminate();
      node.start();
    }
  },
  STOP_LEADER(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      stopped(scene, List.of(scene.leader()), 2000);
    }
  },
  STOP_LEADER_LONG(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      stopped(scene, List.of(scene.leader()), 20_000);
    }
  },
  STOP_FOLLOWER(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      stopped(scene, List.of(scene.follower()), 2000);
    }
  },
  STOP_FOLLOWER_LONG(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      stopped(scene, List.of(scene.follower()), 20_000);
    }
  },
  STOP_TWO(Needs.NOTHING) {
    @Override
    void happen(Scene scene) {
      FaultNode leader = scene.leader();
      stopped(scene, List.of(leader, scene.other(leader)), 6000);
    }
  },
  PARTITION(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      isolate(scene, scene.any());
      scene.pause(3000 + scene.random().nextInt(5000));
    }
  },
  ONE_WAY(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      FaultNode from = scene.any();
      scene.cut(from, scene.other(from));
      scene.pause(3000 + scene.random().nextInt(5000));
    }
  },
  /** It hears all and nobody hears it. */
  MUTE(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      FaultNode mute = scene.leader();
      scene.nodes().stream().filter(n -> n != mute).forEach(n -> scene.cut(mute, n));
      scene.pause(3000 + scene.random().nextInt(5000));
    }
  },
  /** Two do not see each other, and both see the third. */
  BRIDGE(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      FaultNode one = scene.any();
      FaultNode two = scene.other(one);
      scene.cut(one, two);
      scene.cut(two, one);
      scene.pause(4000 + scene.random().nextInt(6000));
    }
  },
  FLAP(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      for (int i = 0; i < 6; i++) {
        isolate(scene, node);
        scene.pause(200 + scene.random().nextInt(1800));
        scene.network().heal();
        scene.pause(200 + scene.random().nextInt(1200));
      }
    }
  },
  DELAY(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      scene.network().delay(scene.nodes().indexOf(scene.any()));
      scene.pause(4000 + scene.random().nextInt(4000));
    }
  },
  LOSS(Needs.NETWORK) {
    @Override
    void happen(Scene scene) {
      scene.nodes().forEach(n -> scene.network().lose(scene.nodes().indexOf(n)));
      scene.pause(4000 + scene.random().nextInt(4000));
    }
  },
  DISK_FULL(Needs.DISK) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      // At once full, or so that it goes on for a moment.
      node.disk().fill(scene.random().nextBoolean() ? 0 : 2L << 20);
      scene.pause(4000 + scene.random().nextInt(6000));
      node.disk().free();
    }
  },
  DISK_FULL_AND_KILL(Needs.DISK) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      node.disk().fill(0);
      scene.pause(2000);
      killed(scene, List.of(node), 500);
      scene.pause(5000);
      node.disk().free();
    }
  },
  /** Every access fails; what was not forced is lost. */
  DISK_GONE(Needs.POWER) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.any();
      node.disk().go();
      scene.pause(3000 + scene.random().nextInt(4000));
      FaultNode.cutPower(List.of(node), () -> {});
    }
  },
  POWER_CUT(Needs.POWER) {
    @Override
    void happen(Scene scene) {
      FaultNode.cutPower(List.of(scene.any()), () -> scene.pause(scene.random().nextInt(4000)));
    }
  },
  POWER_CUT_TWO(Needs.POWER) {
    @Override
    void happen(Scene scene) {
      FaultNode leader = scene.leader();
      FaultNode.cutPower(
          List.of(leader, scene.other(leader)), () -> scene.pause(scene.random().nextInt(4000)));
    }
  },
  POWER_CUT_ALL(Needs.POWER) {
    @Override
    void happen(Scene scene) {
      FaultNode.cutPower(scene.nodes(), () -> {});
    }
  },
  /** An hour ahead or behind, and back again. */
  CLOCK(Needs.CLOCK) {
    @Override
    void happen(Scene scene) {
      FaultNode node = scene.random().nextBoolean() ? scene.leader() : scene.any();
      node.clock().set(Duration.ofHours(scene.random().nextBoolean() ? 1 : -1));
      scene.pause(4000 + scene.random().nextInt(4000));
      if (scene.random().nextBoolean()) {
        killed(scene, List.of(node), 0);
      }
    }
  },
  SNAPSHOT(Needs.SNAPSHOTS) {
    @Override
    void happen(Scene scene) {
      scene.snapshot(scene.any());
      if (scene.random().nextBoolean()) {
        killed(scene, List.of(scene.any()), 100);
      }
    }
  },
  /** One is away while the others drop the log that it has not. */
  INSTALL(Needs.SNAPSHOTS) {
    @Override
    void happen(Scene scene) {
      FaultNode away = scene.any();
      away.kill();
      scene.pause(1500);
      for (int i = 0; i < 2; i++) {
        // The log is kept back to the one before.
        scene.nodes().stream().filter(n -> n != away).forEach(scene::snapshot);
        scene.pause(1500);
      }
      away.start();
      if (scene.random().nextBoolean()) {
        scene.pause(2000 + scene.random().nextInt(3000));
        killed(scene, List.of(away), 0);
      }
    }
  };

  /** What has to be there for it. */
  enum Needs {
    NOTHING,
    NETWORK,
    DISK,
    POWER,
    CLOCK,
    SNAPSHOTS
  }

  private final Needs needs;

  Fault(Needs needs) {
    this.needs = needs;
  }

  Needs needs() {
    return needs;
  }

  /** Does it; what the {@link Scene} can undo by itself it undoes. */
  abstract void happen(Scene scene);

  /** Where faults happen. */
  record Scene(List<FaultNode> nodes, Network network, Reigns reigns, Random random) {
    FaultNode any() {
      return nodes.get(random.nextInt(nodes.size()));
    }

    FaultNode leader() {
      FaultNode leader = reigns.leader(random.nextInt(3));
      return leader == null ? any() : leader;
    }

    FaultNode follower() {
      return other(leader());
    }

    FaultNode other(FaultNode than) {
      List<FaultNode> others = new ArrayList<>(nodes);
      others.remove(than);
      return others.get(random.nextInt(others.size()));
    }

    void cut(FaultNode from, FaultNode to) {
      network.cut(nodes.indexOf(from), nodes.indexOf(to));
    }

    void snapshot(FaultNode node) {
      try {
        Reigns.request(node, "POST", "/cluster/snapshot", 10_000);
      } catch (java.io.IOException e) {
        // A fault may have come to it first.
        System.out.println("no snapshot at " + node.name() + ": " + e.getMessage());
      }
    }

    void pause(int millis) {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    /** All is as before, or will be once they are up. */
    void undo() {
      network.heal();
      for (FaultNode node : nodes) {
        node.goOn();
        if (node.clock() != null) {
          node.clock().set(Duration.ZERO);
        }
        if (node.disk() != null) {
          node.disk().free();
        }
        if (!node.isAlive()) {
          node.start();
        }
      }
    }
  }

  private static void killed(Scene scene, List<FaultNode> some, int awayMs) {
    some.forEach(FaultNode::kill);
    scene.pause(awayMs);
    some.forEach(FaultNode::start);
  }

  private static void stopped(Scene scene, List<FaultNode> some, int millis) {
    some.forEach(FaultNode::stop);
    scene.pause(millis);
    some.forEach(FaultNode::goOn);
  }

  private static void isolate(Scene scene, FaultNode node) {
    for (FaultNode other : scene.nodes()) {
      if (other != node) {
        scene.cut(node, other);
        scene.cut(other, node);
      }
    }
  }
}
