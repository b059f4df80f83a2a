//! What a run came from.

use super::state::spelled;

spelled! {
    /// `run_type` of a run.
    RunType, JobRun {
        /// A job was run.
        JobRun = "JOB_RUN",
        /// `dbutils.notebook.run` in a notebook.
        WorkflowRun = "WORKFLOW_RUN",
        /// `runs/submit`: tasks without a job.
        SubmitRun = "SUBMIT_RUN",
    }
}
