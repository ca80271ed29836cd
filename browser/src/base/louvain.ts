// Communities of a graph by the Louvain algorithm, as scikit-network finds them: the same order of nodes and neighbours,
// sums in the same precision, so that the same graph is cut in the same way.

// Edges of each node; they may come in any order, which decides how sums are rounded.
export interface Graph {
  indptr: Int32Array;
  indices: Int32Array;
  data: Float64Array;
}

// Increase of modularity below which nodes are moved, or put together, no more.
const LEAST = 1e-3;

const single = Math.fround;

// The community of each node of a symmetric graph, by size.
export function louvain(given: Graph, resolution: number): Int32Array {
  let weights = degrees(given), graph = undirected(given), members = Int32Array.from({ length: weights.length }, (_, i) => i);
  for (;;) {
    const { labels, increase } = optimised(graph, weights, resolution);
    const place = new Map([...new Set(labels)].sort((a, b) => a - b).map((label, at) => [label, at]));
    const own = labels.map((label) => place.get(label)!);
    [graph, weights] = together(graph, weights, own, place.size);
    members = members.map((node) => own[node]);
    if (place.size === 1 || increase <= LEAST) return bySize(members, place.size);
  }
}

// Share of all edges that each node has.
function degrees({ indptr, data }: Graph): Float64Array {
  const sums = new Float64Array(indptr.length - 1);
  for (let i = 0; i < sums.length; i += 1) for (let e = indptr[i]; e < indptr[i + 1]; e += 1) sums[i] += data[e];
  const total = sums.reduce((all, one) => all + one, 0);
  return sums.map((one) => one / total);
}

// Both directions added up, of one in all; the order of each node's edges is turned round, as adding leaves it.
function undirected({ indptr, indices, data }: Graph): Graph {
  const turned = { indptr, indices: new Int32Array(indices.length), data: new Float64Array(data.length) };
  for (let i = 0; i + 1 < indptr.length; i += 1) {
    for (let e = indptr[i], to = indptr[i + 1] - 1; e < indptr[i + 1]; e += 1, to -= 1) {
      turned.indices[to] = indices[e];
      turned.data[to] = 2 * data[e];
    }
  }
  const total = turned.data.reduce((all, one) => all + one, 0);
  turned.data = turned.data.map((one) => one / total);
  return turned;
}

// Moves single nodes to the community of a neighbour for as long as it helps.
function optimised(graph: Graph, weights: Float64Array, resolution: number): { labels: Int32Array; increase: number } {
  const n = weights.length, weight = Float32Array.from(weights), community = weight.slice(), near = new Float32Array(n);
  const labels = Int32Array.from({ length: n }, (_, i) => i), data = Float32Array.from(graph.data), loops = loopsOf(graph);
  let increase = 0, gained = Infinity;
  while (gained > single(LEAST)) {
    gained = 0;
    for (let i = 0; i < n; i += 1) {
      const own = labels[i], around: number[] = [];
      for (let e = graph.indptr[i]; e < graph.indptr[i + 1]; e += 1) {
        const label = labels[graph.indices[e]];
        if (label !== own && near[label] === 0) around.push(label);
        near[label] += data[e];
      }
      let best = 0, chosen = own;
      if (around.length) {
        around.sort((a, b) => a - b);
        // edges count twice, and each of the two directions has its own expected weight
        const expected = (label: number, left: number) => single(single(resolution * weight[i]) * single(community[label] - left));
        let leaving = single(2 * single(near[own] - loops[i]));
        leaving = single(single(leaving - expected(own, weight[i])) - expected(own, weight[i]));
        for (const label of around) {
          let gain = single(2 * near[label]);
          gain = single(single(single(gain - expected(label, 0)) - expected(label, 0)) - leaving);
          if (gain > best) { best = gain; chosen = label; }
          near[label] = 0;
        }
      }
      if (chosen !== own) {
        gained = single(gained + best);
        labels[i] = chosen;
        community[own] -= weight[i];
        community[chosen] += weight[i];
      }
      near[own] = 0;
    }
    increase = single(increase + gained);
  }
  return { labels, increase };
}

function loopsOf({ indptr, indices, data }: Graph): Float32Array {
  const loops = new Float32Array(indptr.length - 1);
  for (let i = 0; i < loops.length; i += 1) for (let e = indptr[i]; e < indptr[i + 1]; e += 1) if (indices[e] === i) loops[i] += data[e];
  return loops;
}

// The graph of the communities.
function together({ indptr, indices, data }: Graph, weights: Float64Array, own: Int32Array, size: number): [Graph, Float64Array] {
  const nodes: number[][] = Array.from({ length: size }, () => []), heavier = new Float64Array(size);
  own.forEach((community, node) => {
    nodes[community].push(node);
    heavier[community] += weights[node];
  });
  const sums = new Float64Array(size), ofNode = new Float64Array(size), joined: Graph = { indptr: new Int32Array(size + 1), indices: new Int32Array(0), data: new Float64Array(0) };
  const others: number[] = [], values: number[] = [];
  for (let community = 0; community < size; community += 1) {
    const met: number[] = [], isMet = new Set<number>();
    for (const node of nodes[community]) {
      const touched: number[] = [];
      for (let e = indptr[node]; e < indptr[node + 1]; e += 1) {
        const other = own[indices[e]];
        if (!touched.includes(other)) touched.push(other);
        ofNode[other] += data[e];
      }
      // the last that is met comes first, as when sparse matrices are multiplied
      for (const other of touched.reverse()) {
        if (!isMet.has(other)) { isMet.add(other); met.push(other); }
        sums[other] += ofNode[other];
        ofNode[other] = 0;
      }
    }
    for (const other of met.reverse()) {
      others.push(other);
      values.push(sums[other]);
      sums[other] = 0;
    }
    joined.indptr[community + 1] = others.length;
  }
  return [{ ...joined, indices: Int32Array.from(others), data: Float64Array.from(values) }, heavier];
}

// Numbers by size, the largest first; of two as large the first.
function bySize(members: Int32Array, size: number): Int32Array {
  const nodes = new Int32Array(size);
  for (const one of members) nodes[one] += 1;
  const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => nodes[b] - nodes[a] || a - b), rank = new Int32Array(size);
  order.forEach((one, place) => { rank[one] = place; });
  return members.map((one) => rank[one]);
}
