//! Positions of the tasks in a drawing: one column after what they depend on, at a similar height.

/// Rows are counted in halves, so that a short column can be centred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub column: usize,
    pub half_rows: usize,
}

/// `needs[i]` are the dependencies of task `i`.
pub(super) fn place(needs: &[Vec<usize>]) -> Vec<Place> {
    let columns = columns(needs);
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (task, column) in columns.iter().enumerate() {
        order[*column].push(task);
    }
    let tallest = order.iter().map(Vec::len).max().unwrap_or(0);
    let mut places = vec![
        Place {
            column: 0,
            half_rows: 0
        };
        needs.len()
    ];
    for (column, tasks) in order.iter_mut().enumerate() {
        // Near what they depend on; the sort is stable, so equals keep the job's order.
        tasks.sort_by_key(|task| {
            let above = needs[*task].iter().map(|need| places[*need].half_rows);
            let count = needs[*task].len().max(1);
            above.sum::<usize>() * 100 / count
        });
        let top = tallest - tasks.len();
        for (row, task) in tasks.iter().enumerate() {
            places[*task] = Place {
                column,
                half_rows: top + 2 * row,
            };
        }
    }
    places
}

/// One more than the last column of the dependencies. A cycle, which no job has, ends the search.
fn columns(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut columns = vec![0; needs.len()];
    for _ in 0..needs.len() {
        let mut changed = false;
        for (task, its_needs) in needs.iter().enumerate() {
            let column = its_needs
                .iter()
                .map(|need| columns[*need] + 1)
                .max()
                .unwrap_or(0);
            if column > columns[task] && column < needs.len() {
                columns[task] = column;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diamond_stands_in_three_columns() {
        let places = place(&[vec![], vec![0], vec![0], vec![1, 2]]);
        let at = |column, half_rows| Place { column, half_rows };
        assert_eq!(places, [at(0, 1), at(1, 0), at(1, 2), at(2, 1)]);
    }

    #[test]
    fn tasks_stand_near_what_they_wait_for() {
        // 2 waits for 1 and 3 for 0: they change places.
        let places = place(&[vec![], vec![], vec![1], vec![0]]);
        assert!(places[3].half_rows < places[2].half_rows);
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(place(&[vec![1], vec![0]]).len(), 2);
        assert_eq!(place(&[]), []);
    }
}
