/**
 * What all connections together may hold in memory, whatever their clients do. Known to both front
 * ends and to nothing of theirs.
 */
package io.holdfast.broker.limits;
